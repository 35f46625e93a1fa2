"""The columns of the register's files, as docs/register.md describes them. Core."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

UNITS, TABLES, FORMS, KINDS = "units.csv", "tables.csv", "forms.csv", "kinds.csv"


@dataclass(frozen=True)
class FileForm:
    """The columns of one file in their order. A file that is not `needed` may be left out."""

    columns: Sequence[str]
    required: frozenset[str]
    needed: bool = True


FILE_FORMS: Final[Mapping[str, FileForm]] = {
    KINDS: FileForm(("kind", "name_zh", "name_en"), frozenset({"kind", "name_zh"}), needed=False),
    TABLES: FileForm(
        (
            "code",
            "name_zh",
            "name_en",
            "required_for",
            "standard",
            "domain",
            "cda_template_oid",
            "required_from",
            "required_until",
        ),
        frozenset({"code", "name_zh", "required_for"}),
    ),
    FORMS: FileForm(
        ("code", "name_zh", "name_en", "domain", "required_from", "required_until"),
        frozenset({"code", "name_zh"}),
    ),
    UNITS: FileForm(
        (
            "unit_id",
            "kind",
            "name_zh",
            "name_en",
            "official_code",
            "aliases",
            "status",
            "active_from",
            "active_until",
            "district",
            "vendor",
            "contact_role",
            "contact_number",
            "feeds",
            "forms",
        ),
        frozenset({"unit_id", "kind", "name_zh"}),
    ),
}
"""In the order in which they are read: units name kinds and forms."""
