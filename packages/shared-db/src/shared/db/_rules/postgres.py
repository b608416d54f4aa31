"""What both colours of PostgreSQL share: the driver, its arguments, which errors last."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from shared.core.checks import refuse

from .._base.errors import DriverMissing
from .._base.urls import checked_url

if TYPE_CHECKING:
    from collections.abc import Mapping

# psycopg.pq.TransactionStatus, by plain numbers: its enum is not there until psycopg is imported, and
# two of these are compared at every checkout.
IDLE, ACTIVE, INTRANS, INERROR = 0, 1, 2, 3

# FATAL answers of a starting, stopping or full server: trying again helps.
_PASSING = (
    "starting up",
    "shutting down",
    "recovery mode",
    "too many clients",
    "connection slots",
    "not yet accepting",
    "not accepting",
)
_PLACE = re.compile(
    r'(connection failed: )?(connection to server at "[^"]*"( \([^)]*\))?, port \d+ failed: )?'
)
# Statements whose effect outlasts their transaction: a session's settings, role, locks, channels,
# temporary tables. What a block or a function of the server does is not seen.
_LASTING = re.compile(
    r"(?:^|;)(?:\s|--[^\n]*\n|/\*.*?\*/)*"
    r"(?:SET(?!\s+(?:LOCAL|TRANSACTION|CONSTRAINTS)\b)|RESET|LISTEN|LOAD|DISCARD|DO|CALL)\b"
    r"|\bset_config\s*\(|\bpg_(?:try_)?advisory_lock(?:_shared)?\s*\("
    r"|\bCREATE\s+(?:(?:LOCAL|GLOBAL)\s+)?TEMP|\bINTO\s+TEMP",
    re.IGNORECASE | re.DOTALL,
)
_LONG = 10_000
_HINT = "Is the server running"
_NAMES = {"database": "dbname", "db": "dbname"}


def driver() -> Any:
    """Return psycopg, imported when first needed."""
    try:
        import psycopg
    except ImportError as error:
        if (error.name or "psycopg") not in {"psycopg", "psycopg_binary", "psycopg_c"}:
            raise
        raise DriverMissing("postgres", "psycopg") from None
    return psycopg


def reason_of_refusal(text: str) -> str:
    """Return what libpq reports about a failed connection, in one line and without the place.

    Example:
        >>> place = 'connection failed: connection to server at "::1", port 1 failed: '
        >>> reason_of_refusal(f"{place}Connection refused")
        'Connection refused'
    """
    lines = [_PLACE.sub("", line).strip() for line in text.splitlines() if _HINT not in line]
    return " ".join(" ".join(lines).split())


def is_lasting(text: str) -> bool:
    """Report whether a failed connection will fail again."""
    lasting = "FATAL" in text or "certificate" in text.lower() or "does not support SSL" in text
    return lasting and not any(passing in text for passing in _PASSING)


def connection_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return keyword arguments for `psycopg.connect`, from a URL or parts.

    Raises:
        ValueError: The URL is malformed; the message shows no secret.
    """
    parts = {_NAMES.get(name, name): value for name, value in given.items() if value is not None}
    for name in ("password", "user"):
        if hasattr(parts.get(name), "reveal"):
            parts[name] = parts[name].reveal()
    url = parts.pop("url", None)
    arguments: dict[str, Any] = {}
    if url is not None:
        text = checked_url("postgres", url)
        psycopg = driver()
        try:
            arguments = dict(psycopg.conninfo.conninfo_to_dict(text))
        except psycopg.Error:
            # Its message would quote the URL.
            raise ValueError("POSTGRES_URL is not a URL that libpq understands") from None
    arguments |= parts
    arguments.setdefault("application_name", "shared-db")
    return arguments


def outlasts(query: Any, connection: Any) -> bool:
    """Report whether a statement changes the session beyond its transaction.

    Example:
        >>> outlasts("SET search_path = x", None), outlasts("UPDATE t SET a = 1", None)
        (True, False)
    """
    if hasattr(query, "as_string"):
        query = query.as_string(connection)
    elif isinstance(query, bytes):
        query = query.decode("utf-8", "replace")
    if not isinstance(query, str) or len(query) > _LONG:
        return True  # a round trip more is little beside it
    return _LASTING.search(query) is not None


def isolation_level(name: str | None) -> Any:
    """Return psycopg's isolation level of that name.

    Raises:
        ValueError: There is none.
    """
    if name is None:
        return None
    levels = driver().IsolationLevel
    try:
        return levels[name.upper().replace(" ", "_")]
    except KeyError:
        known = [level.name.lower().replace("_", " ") for level in levels]
        raise refuse("isolation", f"one of {', '.join(map(repr, known))}", name) from None
