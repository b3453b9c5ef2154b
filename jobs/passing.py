"""Which of a database's errors pass by themselves, and which are a wrong statement of ours."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError

# Serialisation failure and deadlock: the server rolled back for certain, so doing it again is safe.
# A lost connection is not among them: the commit may have happened.
_SAFE_TO_REPEAT = frozenset({"40001", "40P01"})
# Connection, rollback, out of resources, operator's intervention (PostgreSQL, appendix A).
_PASSING_CLASSES = frozenset({"08", "40", "53", "57"})
_PASSING_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)


def is_safe_to_repeat(error: Exception) -> bool:
    """Tell whether the server rolled back for certain."""
    return _sqlstate(error) in _SAFE_TO_REPEAT


def is_passing(error: DBAPIError) -> bool:
    """Tell trouble of the database, which may pass, from a wrong statement, which is our bug."""
    if isinstance(error.orig, sqlite3.Error):
        # What Python's module raises by itself, as at interruption, has no code.
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _PASSING_SQLITE
    return isinstance(error, InterfaceError) or _sqlstate(error)[:2] in _PASSING_CLASSES


def _sqlstate(error: Exception) -> str:
    """Return the five characters by which PostgreSQL names an error; empty for others."""
    if not isinstance(error, DBAPIError):
        return ""
    details = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return str(details.get("C", "")) if isinstance(details, dict) else ""
