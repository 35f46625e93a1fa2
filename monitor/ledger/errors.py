"""Database errors as one clear sentence: what passes, and what does not. Shell."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from monitor.ledger.database_url import shown
from schemas.errors import HipwatchError

_PASSING: Final = frozenset({"25006", "25P03", "25P04"})
"""Read-only transaction, idle in transaction for too long, transaction too long: SQLSTATEs that psycopg files under internal
errors, and that pass. A failover shows a read-only server for a while."""


class LedgerUnavailable(HipwatchError):
    """The database cannot be used now. Whoever has time may try again."""


@contextmanager
def friendly_errors(engine: Engine) -> Iterator[None]:
    """Turn database errors into one clear sentence: LedgerUnavailable when waiting may help, HipwatchError otherwise."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        raise LedgerUnavailable(_explain(engine, error)) from error
    except (SQLAlchemyError, sqlite3.DatabaseError) as error:
        kind = LedgerUnavailable if _passes(error) else HipwatchError
        raise kind(_explain(engine, error)) from error


def _passes(error: Exception) -> bool:
    """Whether an error that is not operational by its class will pass all the same."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _PASSING


def _explain(engine: Engine, error: Exception) -> str:
    where = shown(engine.url)
    cause = str(error.orig) if isinstance(error, DBAPIError) and error.orig is not None else str(error)
    cause = cause.strip().splitlines()[0] if cause.strip() else type(error).__name__
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    if state in _BY_STATE:
        return f"the database {where} {_BY_STATE[state]}: {cause}"
    if "FATAL" in cause and (refused := _refused_login(cause)) is not None:
        return f"the database {where} {refused}"
    meaning = next((meaning for signs, meaning in _BY_WORDS if any(sign in cause for sign in signs)), None)
    if meaning is not None:
        return f"the database {where} {meaning}"
    kind = "cannot be reached" if isinstance(error, OperationalError) else "refused"
    return f"the database {where} {kind}: {cause}"


def _refused_login(cause: str) -> str | None:
    """Which of database and role the server does not know: `database "x" does not exist`, in English or Chinese."""
    if "does not exist" not in cause and "不存在" not in cause:
        return None
    return _NO_ROLE if re.search(r'(role|角色) ?"', cause) else _NO_DATABASE


_BY_STATE: Final = {
    "42501": "does not let this role do what it has to: GRANT it the rights that docs/operations.md names",
    "42P01": "is not a ledger, or another's: it lacks our tables",
    "3F000": "is not a ledger: it lacks the schema that search_path names",
    "42703": "has another version's tables",
}
"""PostgreSQL's SQLSTATEs, which do not depend on the server's language."""

_NO_DATABASE: Final = "does not exist on that server: CREATE DATABASE makes it, or the name behind the last / is mistyped"
_NO_ROLE: Final = "cannot be entered by that role: the server knows no such role (CREATE ROLE … LOGIN), or its name is mistyped"
_NO_PASSWORD: Final = "lets this role in only with a password: put it into a file and name that by PGPASSFILE"
_WRONG_PASSWORD: Final = "refuses this role's password, or has no such role"
_BY_WORDS: Final[Sequence[tuple[Sequence[str], str]]] = (
    (("certificate verify failed",), "shows a certificate that is not signed by the CA in sslrootcert, or is not valid any more"),
    (("root certificate file",), "cannot be tried: there is no file of CAs to trust; name one as sslrootcert"),
    (("database is locked",), "is locked by another process"),
    (("file is not a database",), "is not a ledger: the file is no SQLite database"),
    (("malformed",), "is corrupt: SQLite cannot read it (restore a backup)"),
    (("unable to open",), "cannot be opened"),
    (("readonly", "read-only transaction"), "is read-only"),
    (("No space left on device", "disk is full"), "cannot grow: the disk is full"),
    (("no such table",), "is not a ledger: it lacks our tables"),
    (("no such column",), "has another version's tables"),
    (("no password supplied",), _NO_PASSWORD),
    (("password authentication failed", "SASL authentication failed", "密码认证失败", "Password 认证失败"), _WRONG_PASSWORD),
    (("no such database",), _NO_DATABASE),  # PgBouncer
    (("no such user",), _NO_ROLE),
    (("not permitted to log in", "不允许登录"), "cannot be entered by that role: ALTER ROLE … LOGIN lets it"),
    (("no pg_hba.conf entry",), "lets this role in from nowhere near here: no line of its pg_hba.conf fits (or it wants TLS)"),
)
"""How SQLite, libpq and PgBouncer say it: a refused login has no SQLSTATE, and the server says it in its own language."""
