"""The register of units, the table catalogue and the realtime forms: who is expected to send what, and since when."""

from schemas.register.folder import load_register, read_register
from schemas.register.model import Form, Kind, Life, Register, Table, Unit, UnitKind

__all__ = ["Form", "Kind", "Life", "Register", "Table", "Unit", "UnitKind", "load_register", "read_register"]
