"""URLs, checked by `shared.config`: an error about one shows none of its secrets."""

from __future__ import annotations

from typing import Any

_CLASSES = {
    "postgres": "PostgresURL",
    "clickhouse": "ClickHouseURL",
    "qdrant": "QdrantURL",
    "redis": "RedisURL",
}


def parsed_url(kind: str, url: Any) -> Any:
    """Return the URL as an object of `shared.config`.

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
    """Return the URL's whole text if it is well formed."""
    return str(parsed_url(kind, url).reveal())
