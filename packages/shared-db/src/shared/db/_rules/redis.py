"""What both colours of Redis share: the driver, its arguments, what may be repeated."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .._base.errors import DriverMissing
from .._base.urls import parsed_url

if TYPE_CHECKING:
    from collections.abc import Mapping

# Commands that read, or that leave the same state and return the same answer when run twice.
REPEATABLE = frozenset(
    [
        "PING",
        "ECHO",
        "TIME",
        "INFO",
        "EXISTS",
        "TTL",
        "PTTL",
        "EXPIRETIME",
        "PEXPIRETIME",
        "TYPE",
        "STRLEN",
        "GET",
        "MGET",
        "GETRANGE",
        "SUBSTR",
        "HGET",
        "HMGET",
        "HGETALL",
        "HKEYS",
        "HVALS",
        "HLEN",
        "HEXISTS",
        "HSTRLEN",
        "HSCAN",
        "HRANDFIELD",
        "LINDEX",
        "LLEN",
        "LRANGE",
        "LPOS",
        "SCARD",
        "SISMEMBER",
        "SMISMEMBER",
        "SMEMBERS",
        "SRANDMEMBER",
        "SINTER",
        "SINTERCARD",
        "SUNION",
        "SDIFF",
        "SSCAN",
        "ZCARD",
        "ZCOUNT",
        "ZLEXCOUNT",
        "ZMSCORE",
        "ZRANGE",
        "ZRANGEBYLEX",
        "ZRANGEBYSCORE",
        "ZRANK",
        "ZREVRANGE",
        "ZREVRANGEBYLEX",
        "ZREVRANGEBYSCORE",
        "ZREVRANK",
        "ZSCAN",
        "ZSCORE",
        "ZINTER",
        "ZINTERCARD",
        "ZUNION",
        "ZDIFF",
        "ZRANDMEMBER",
        "XLEN",
        "XRANGE",
        "XREVRANGE",
        "XPENDING",
        "XINFO",
        "SCAN",
        "KEYS",
        "DBSIZE",
        "RANDOMKEY",
        "MEMORY",
        "OBJECT",
        "BITCOUNT",
        "BITPOS",
        "GETBIT",
        "GEODIST",
        "GEOHASH",
        "GEOPOS",
        "GEOSEARCH",
        "PFCOUNT",
        "DUMP",
        "COMMAND",
        "LATENCY",
        "LASTSAVE",
        "ROLE",
        "CONFIG",
        "HELLO",
        "AUTH",
        "SELECT",
        "SCRIPT",
        "EVAL_RO",
        "EVALSHA_RO",
        "FCALL_RO",
        "SORT_RO",
        "BITFIELD_RO",
        "TOUCH",
        "WAIT",
        "MSET",
        "HMSET",
        "PEXPIREAT",
        "EXPIREAT",
    ]
)


def repeatable(arguments: tuple[Any, ...]) -> bool:
    """Report whether a command may be sent again after its answer was lost.

    Example:
        >>> repeatable(("GET", "a")), repeatable(("INCR", "a"))
        (True, False)
        >>> repeatable(("SET", "a", 1)), repeatable(("SET", "a", 1, "NX"))
        (True, False)
    """
    name = str(arguments[0]).upper().split()[0]
    if name == "SET":
        words = {str(word).upper() for word in arguments[3:] if isinstance(word, (str, bytes))}
        return not words & {"NX", "XX", "GET", "B'NX'", "B'XX'", "B'GET'", "IFEQ"}
    return name in REPEATABLE


# Where a command that waits has its time: the position of the argument, and how many are a second.
_BLOCKING = {
    **dict.fromkeys(("BLPOP", "BRPOP", "BRPOPLPUSH", "BLMOVE", "BZPOPMIN", "BZPOPMAX"), (-1, 1)),
    **dict.fromkeys(("BLMPOP", "BZMPOP"), (1, 1)),
    **dict.fromkeys(("WAIT", "WAITAOF"), (-1, 1000)),
    **dict.fromkeys(("XREAD", "XREADGROUP"), (0, 1000)),
}


def blocks_for(arguments: tuple[Any, ...]) -> float | None:
    """Return how many seconds a command lets the server wait; None if it does not.

    Example:
        >>> blocks_for(("BLPOP", "queue", 0)), blocks_for(("XREAD", b"BLOCK", 500, b"STREAMS"))
        (inf, 0.5)
        >>> blocks_for(("GET", "k")), blocks_for(("XREAD", b"STREAMS", "s", "0"))
        (None, None)
    """
    name = arguments[0]
    found = _BLOCKING.get(name) or (
        _BLOCKING.get(name.upper()) if isinstance(name, str) and name.islower() else None
    )
    if found is None:
        return None
    place, unit = found
    if place == 0:
        words = [word.encode() if isinstance(word, str) else word for word in arguments[:8]]
        place = next((at for at, word in enumerate(words) if word in {b"BLOCK", b"block"}), -1) + 1
        if place == 0:
            return None
    try:
        return float(arguments[place]) / unit or math.inf
    except (IndexError, TypeError, ValueError):
        return None  # the server refuses it


def driver() -> Any:
    """Return redis-py, imported when first needed."""
    try:
        import redis
        import redis.asyncio
        import redis.asyncio.retry
        import redis.asyncio.sentinel
        import redis.backoff
        import redis.retry
        import redis.sentinel
    except ImportError as error:
        if not (error.name or "redis").startswith("redis"):
            raise
        raise DriverMissing("redis", "redis") from None
    return redis


def client_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return keyword arguments for a connection pool of redis-py, from a URL or parts.

    Raises:
        ValueError: The URL is malformed; the message shows no secret.
    """
    parts = {name: value for name, value in given.items() if value is not None}
    url = parts.pop("url", None)
    arguments: dict[str, Any] = {}
    if url is not None:
        parsed = parsed_url("redis", url)
        if parsed.scheme == "unix":
            arguments = dict(driver().connection.parse_url(parsed.reveal()))
            arguments.pop("connection_class", None)
        else:
            arguments = {
                "host": parsed.host,
                "port": parsed.port,
                "username": parsed.user,
                "password": parsed.password.reveal() if parsed.password is not None else None,
                "db": int(parsed.database or 0),
                "ssl": parsed.scheme == "rediss",
            }
            options = driver().connection.parse_url(f"redis://?{parsed.reveal().partition('?')[2]}")
            arguments |= {name: value for name, value in options.items() if name != "host"}
        arguments = {name: value for name, value in arguments.items() if value is not None}
    names = {"user": "username", "database": "db"}
    arguments |= {names.get(name, name): value for name, value in parts.items()}
    for name in ("username", "password"):
        if hasattr(arguments.get(name), "reveal"):
            arguments[name] = arguments[name].reveal()
    if "path" not in arguments:
        arguments.setdefault("host", "localhost")
        arguments["port"] = int(arguments.get("port") or 6379)
    arguments["db"] = int(arguments.get("db") or 0)
    return arguments
