"""URLs, checked by `shared.config`: what is wrong with one is said without its secrets."""

from __future__ import annotations

from typing import Any

_CLASSES = {
    "postgres": "PostgresURL",
    "clickhouse": "ClickHouseURL",
    "qdrant": "QdrantURL",
    "redis": "RedisURL",
}


def parsed_url(kind: str, url: Any) -> Any:
    """The URL as an object of `shared.config`.

    Raises:
        ValueError: It is malformed; the message shows no secret.
    """
    import shared.config

    cls = getattr(shared.config, _CLASSES[kind])
    if isinstance(url, cls):
        return url
    try:
        return cls(url)
    except ValueError as error:
        raise ValueError(f"{kind.upper()}_URL {error}") from None


def checked_url(kind: str, url: Any) -> str:
    """The URL's whole text, if it is a good one."""
    return str(parsed_url(kind, url).reveal())
