"""Database URLs: what one names, and how it is shown without its secrets. Core but for one look whether a file is there."""

from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from schemas.errors import HipwatchError

_FORMS: Final = "write sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"
_SECRETS: Final = frozenset({"password", "sslpassword"})
"""What libpq would take behind the `?`."""
_SHOWN: Final = frozenset(
    {"host", "port", "dbname", "user", "service", "sslmode", "sslrootcert", "sslcert", "options", "application_name"}
)
"""Behind the `?` only these are shown: what is mistyped there may be a password."""
_SHORT_NAMES: Final = frozenset({"postgres", "postgresql"})
"""Other programs write so; here it means the one driver that we have."""
_LARGEST_PORT: Final = 65_535


def parsed_url(url: str) -> URL:
    """What `url` names. Raises HipwatchError that never quotes it: whatever is malformed may hold a password."""
    if not url.strip():
        raise HipwatchError(f"the database URL is empty: {_FORMS}")
    try:
        found = make_url(url)
    except ArgumentError:
        raise HipwatchError(f"that is not a database URL: {_FORMS}") from None
    except ValueError:  # an empty port, a word in its place, an address without its brackets
        raise HipwatchError(f"the port in the database URL is no number: leave out the ':' or {_FORMS}") from None
    if found.port is not None and not 0 < found.port <= _LARGEST_PORT:
        raise HipwatchError(f"the port in the database URL is {found.port}, and ports are 1 to {_LARGEST_PORT}")
    if _SECRETS & found.query.keys():
        raise HipwatchError("a password does not belong behind the ? of a database URL, where messages show it: use PGPASSFILE")
    if found.get_backend_name() == "sqlite" and (found.host or "://" in (found.database or "")):
        raise HipwatchError("that is not an SQLite URL: write sqlite:///FILE, with three slashes and one URL only")
    return found.set(drivername="postgresql+psycopg") if found.drivername in _SHORT_NAMES else found


def shown_url(url: str) -> str:
    """The URL without its password: how messages name a ledger. Raises HipwatchError when it is none."""
    return shown(parsed_url(url))


def shown(url: URL) -> str:
    """As `shown_url`, of one that has been parsed."""
    query = {name: value if name in _SHOWN else "***" for name, value in url.query.items()}
    return url.set(query=query).render_as_string(hide_password=True)


def lacks_file(url: str) -> bool:
    """Whether `url` names an SQLite file that is not there yet. Raises HipwatchError when it is no database URL."""
    found = parsed_url(url)
    return found.get_backend_name() == "sqlite" and bool(found.database) and not Path(str(found.database)).exists()
