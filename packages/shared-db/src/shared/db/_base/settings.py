"""From settings to the arguments of each store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.core.checks import refuse

STORES = ("postgres", "clickhouse", "qdrant", "redis")


def key_of(kind: str, name: str) -> str:
    """Return the key of a store in reports: its kind, with its name unless that is the default.

    Example:
        >>> key_of("redis", "default"), key_of("redis", "cache")
        ('redis', 'redis:cache')
    """
    return kind if name == "default" else f"{kind}:{name}"


def arguments_from(settings: Any) -> dict[str, dict[str, Any]]:
    """Return what each store's `initialize_*` needs.

    Args:
        settings: Settings of `shared.config`, a mapping of variables such as
            `{"POSTGRES_HOST": ...}`, the `settings` of an embedded store, or several of those.

    Returns:
        The keyword arguments per store.

    Raises:
        TypeError: It is none of these.
    """
    if isinstance(settings, (list, tuple)):
        merged: dict[str, dict[str, Any]] = {}
        for one in settings:
            merged |= arguments_from(one)
        return merged
    kind = getattr(settings, "kind", None)
    if kind in STORES and isinstance(settings, Mapping):
        return {kind: dict(settings)}
    if isinstance(settings, Mapping):
        return _from_variables(settings)
    database = getattr(settings, "database", settings)
    found = {store: getattr(database, f"{store}_url", None) for store in STORES}
    if not any(found.values()):
        allowed = (
            "settings of shared.config, a mapping of variables, the settings of an embedded "
            "store, or a list of these"
        )
        raise refuse("settings", allowed, type(settings), TypeError)
    result = {store: {"url": url} for store, url in found.items() if url is not None}
    key = getattr(database, "qdrant_api_key", None)
    if key is not None and not result["qdrant"]["url"].embedded:
        result["qdrant"]["api_key"] = key
    return result


def _from_variables(variables: Mapping[str, str] | None) -> dict[str, dict[str, Any]]:
    from shared.config import load_settings

    found = arguments_from(load_settings(env=variables))
    if variables is None:
        return found
    # A mapping configures what it names: the defaults of the others are not meant.
    return {
        store: arguments
        for store, arguments in found.items()
        if any(name.startswith(f"{store.upper()}_") for name in variables)
    }


def from_environment(env: Mapping[str, str] | None) -> dict[str, dict[str, Any]]:
    """Return what each store's `initialize_*` needs, from the environment or a mapping of it."""
    from shared.config import load_settings

    return arguments_from(load_settings(env=env))
