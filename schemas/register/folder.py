"""The register in a folder of CSV files. Shell: reads files.

The PF-* tables and the names of the realtime forms in the register that ships are this project's proposal, because the
platform's own lists are not public; the WS/T 500-2016 and WS/T 483-2016 tables are published standards.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import Final

from schemas.csv_file import read_bytes
from schemas.errors import HipwatchError
from schemas.register.columns import FILE_FORMS
from schemas.register.entries import Parsed, parse_register
from schemas.register.model import Register

SHIPPED: Final = Path(str(files("schemas") / "reference"))
"""The register of Nanjing, which is the default and the example."""
_LARGEST: Final = 32 << 20
"""Bytes of one file: a hundred times the largest register that we can think of."""


def read_files(folder: Path) -> Mapping[str, bytes]:
    """The register's files that `folder` holds, by their names. Raises HipwatchError when there is no such folder, or no file
    in it can be read.
    """
    if not folder.is_dir():
        raise HipwatchError(f"there is no register folder {folder}")
    found = {}
    for name in FILE_FORMS:
        path = folder / name
        if path.exists():
            if path.is_file() and path.stat().st_size > _LARGEST:
                raise HipwatchError(f"{path} has more than {_LARGEST >> 20} MiB: that is no register")
            found[name] = read_bytes(path)
    return found


def digest_of(found: Mapping[str, bytes]) -> str:
    """Twelve hex digits over names and contents."""
    digest = blake2b(digest_size=6)
    for name in sorted(found):
        digest.update(f"{name} {len(found[name])}\n".encode())
        digest.update(found[name])
    return digest.hexdigest()


def check_register(folder: Path) -> Parsed:
    """The register in `folder` with everything that is wrong with it. Raises HipwatchError when it cannot be read at all."""
    return parse_register(read_files(folder), lambda name: str(folder / name))


def read_register(folder: Path) -> Register:
    """The register in `folder`. Raises HipwatchError: the first problem, and how many more there are."""
    return accepted(check_register(folder), folder)


def accepted(parsed: Parsed, folder: Path) -> Register:
    """The register that was read. Raises HipwatchError when anything is wrong with it."""
    if not parsed.problems:
        return parsed.register
    more = len(parsed.problems) - 1
    rest = f" (and {more} more: 'hipwatch register check {folder}' lists them)" if more else ""
    raise HipwatchError(f"{parsed.problems[0]}{rest}")


@cache
def load_register() -> Register:
    """The register that ships with this release."""
    return read_register(SHIPPED)
