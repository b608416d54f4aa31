"""What both colours of Qdrant share: the driver, its arguments, what may be repeated."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from .._base.errors import DriverMissing
from .._base.urls import parsed_url

if TYPE_CHECKING:
    from collections.abc import Mapping

# The server refuses the client: no key, a wrong one, or one without the right.
REFUSALS = frozenset({401, 403})


def driver() -> Any:
    """Return qdrant-client, imported when first needed."""
    try:
        import qdrant_client
        import qdrant_client.http.exceptions
    except ImportError as error:
        if not (error.name or "qdrant_client").startswith("qdrant_client"):
            raise
        raise DriverMissing("qdrant", "qdrant-client") from None
    return qdrant_client


def client_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return keyword arguments for `QdrantClient`, from a URL or parts.

    Raises:
        ValueError: The URL is malformed; the message shows no secret.
    """
    parts = {name: value for name, value in given.items() if value is not None}
    url = parts.pop("url", None)
    key = parts.get("api_key")
    if hasattr(key, "reveal"):
        parts["api_key"] = key.reveal()  # type: ignore[union-attr]
    arguments: dict[str, Any] = {}
    if url is not None:
        parsed = parsed_url("qdrant", url)
        if parsed.embedded:
            text = parsed.reveal()
            return (
                {"location": text} if text == ":memory:" else {"path": text.removeprefix("path:")}
            )
        secret = parsed.password if parsed.password is not None else None
        arguments = {
            "host": parsed.host,
            "port": parsed.port or 6333,
            "https": parsed.scheme == "https",
        }
        if secret is not None:
            arguments["api_key"] = secret.reveal()
        if parsed.database:
            arguments["prefix"] = parsed.database
    arguments |= parts
    if isinstance(arguments.get("verify"), str):
        arguments["verify"] = ssl.create_default_context(cafile=arguments["verify"])
    if not {"location", "path"} & arguments.keys():
        arguments.setdefault("host", "localhost")
        arguments.setdefault("https", False)
    return arguments


def repeatable(method: str) -> bool:
    """Report whether a call may be made again after its answer was lost.

    Every change of points names them, so it leaves the same state when it is made twice.
    """
    return not method.startswith(
        ("create_", "delete_collection", "recreate_", "update_collection", "recover_", "migrate")
    )
