"""What both colours of ClickHouse share: the driver, what was lost, what may be repeated."""

from __future__ import annotations

import re
import weakref
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from .._base.errors import DriverMissing, PoolClosed
from .._base.reasons import chain
from .._base.sockets import hang_up
from .._base.urls import parsed_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INSERTS = frozenset({"insert", "insert_df", "insert_arrow", "insert_df_arrow", "raw_insert"})
_READS = re.compile(
    r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*[\s(]*"
    r"(SELECT|WITH|SHOW|DESCRIBE|DESC|EXISTS|EXPLAIN|CHECK|USE|SET"
    r"|(?:CREATE|DROP|ATTACH|DETACH)\s[^'\"`(]*\bIF\s+(?:NOT\s+)?EXISTS)\b",
    re.IGNORECASE | re.DOTALL,
)
# The server refuses the user: unknown, a wrong password, no such database.
REFUSALS = frozenset({81, 192, 193, 194, 516})
UNKNOWN_IDENTIFIER = 47
_WINDOW = re.compile(r"non_replicated_deduplication_window\s*=\s*'?(\d+)")


def driver(*, tasks: bool = False) -> Any:
    """Return clickhouse-connect, imported when first needed; `tasks`: with its async client."""
    try:
        import clickhouse_connect
        import clickhouse_connect.datatypes.registry
        import clickhouse_connect.driver.exceptions
        import clickhouse_connect.driver.httputil

        if tasks:
            import clickhouse_connect.driver.asyncclient
    except ImportError as error:
        if not (error.name or "clickhouse_connect").startswith(("clickhouse_connect", "aiohttp")):
            raise
        raise DriverMissing("clickhouse", "clickhouse-connect") from None
    return clickhouse_connect


def pool_manager(arguments: Mapping[str, Any], size: int) -> tuple[Any, Callable[[], None]]:
    """Return a pool of connections for the driver's client, and a function that hangs up on them."""
    names = ("verify", "ca_cert", "client_cert", "client_cert_key")
    tls = {name: arguments[name] for name in names if name in arguments}
    manager = driver().driver.httputil.get_pool_manager(maxsize=size, **tls)
    connections: weakref.WeakSet[Any] = weakref.WeakSet()
    ended: list[bool] = []

    def noting(pool: Any) -> Any:
        class Connection(pool.ConnectionCls):  # type: ignore[misc]
            def connect(self) -> None:
                if ended:  # the driver retries by itself
                    raise PoolClosed("the ClickHouse client is closed")
                super().connect()
                connections.add(self)

        return type("Pool", (pool,), {"ConnectionCls": Connection})

    schemes = manager.pool_classes_by_scheme.items()
    manager.pool_classes_by_scheme = {scheme: noting(pool) for scheme, pool in schemes}

    def end() -> None:
        ended.append(True)
        for connection in list(connections):
            if connection.sock is not None:
                hang_up(connection.sock.fileno())

    return manager, end


def repeatable(method: str, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> bool:
    """Report whether a call only reads, or changes nothing when it is made twice."""
    if method == "ping":
        return True
    query = keywords.get("query", keywords.get("cmd", arguments[0] if arguments else ""))
    return isinstance(query, str) and _READS.match(query) is not None


def deduplicates(engine: str, definition: str) -> bool:
    """Report whether a table drops an insert whose deduplication token it has seen.

    Example:
        >>> deduplicates(
        ...     "MergeTree", "CREATE ... SETTINGS non_replicated_deduplication_window = 100"
        ... )
        True
        >>> deduplicates("MergeTree", "CREATE ... SETTINGS index_granularity = 8192")
        False
    """
    if engine.startswith(("Replicated", "Shared")):
        return "replicated_deduplication_window = 0" not in definition
    found = _WINDOW.search(definition)
    return found is not None and int(found[1]) > 0


def quoted(table: str) -> str:
    """Return a table's name as identifiers; `database.table` is two.

    Example:
        >>> quoted("logs.by day")
        '`logs`.`by day`'
    """
    return ".".join(quoted_name(part.strip("`")) for part in table.split("."))


def quoted_name(part: str) -> str:
    """Return one name as an identifier."""
    return "`" + part.replace("\\", "\\\\").replace("`", "\\`") + "`"


def comparison(table: str, names: list[str], partition: str) -> list[str]:
    """Return statements that find the rows of a batch that are in no partition of a table.

    Args:
        table: The table.
        names: The batch's columns.
        partition: The table's partition key, empty if it has none.

    Returns:
        The one that creates a temporary table for the rows and their numbers; the one that finds
        the numbers; and one that does so over the whole table, for a batch that leaves the
        columns of the partition key to their defaults.
    """
    listed = ", ".join(map(quoted_name, names))
    batch = f"SELECT {listed} FROM shared_db_probe"  # noqa: S608 - the names are quoted
    held = f"FROM {quoted(table)} WHERE ({listed}) IN ({batch})"
    columns = f"toUInt64(0) AS shared_db_row, {listed}"
    numbered = f"SELECT {columns} FROM {quoted(table)} LIMIT 0"  # noqa: S608 - as above
    find = "SELECT shared_db_row FROM shared_db_probe WHERE"
    return [
        f"CREATE TEMPORARY TABLE IF NOT EXISTS shared_db_probe AS {numbered}",
        f"{find} tuple({partition or 1}) NOT IN (SELECT tuple({partition or 1}) {held})",
        f"{find} 1 NOT IN (SELECT 1 {held})",
    ]


def what_was_lost(error: BaseException) -> str | None:
    """Return how a call was lost: `"unsent"`, `"sent"`, or None if the server answered."""
    names = {cls.__name__ for inner in chain(error) for cls in type(inner).__mro__}
    if not names & {"HTTPError", "ClientError", "OSError", "TimeoutError", "StreamFailureError"}:
        return None
    if names & {
        "NewConnectionError",
        "ConnectTimeoutError",
        "ClientConnectorError",
        "ConnectionTimeoutError",
        "NameResolutionError",
    }:
        return "unsent"
    return "sent"


def client_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return keyword arguments for `clickhouse_connect.get_client`, from a URL or parts.

    Raises:
        ValueError: The URL is malformed; the message shows no secret.
    """
    parts = {name: value for name, value in given.items() if value is not None}
    url = parts.pop("url", None)
    arguments: dict[str, Any] = {}
    if url is not None:
        parsed = parsed_url("clickhouse", url)
        if parsed.embedded:
            return {"dsn": parsed.reveal(), **parts}
        arguments = {
            "host": parsed.host,
            "port": parsed.port,
            "username": parsed.user,
            "password": parsed.password.reveal() if parsed.password is not None else None,
            "database": parsed.database,
            "secure": parsed.scheme in {"https", "clickhouses"},
            **dict(parse_qsl(parsed.reveal().partition("?")[2])),
        }
        arguments = {name: value for name, value in arguments.items() if value is not None}
    arguments |= {{"user": "username"}.get(name, name): value for name, value in parts.items()}
    password: Any = arguments.get("password")
    if hasattr(password, "reveal"):
        arguments["password"] = password.reveal()
    arguments.setdefault("host", "localhost")
    return arguments
