"""The settings of a running store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_VARIABLES = {
    "host": "HOST",
    "port": "PORT",
    "database": "DB",
    "user": "USER",
    "password": "PASSWORD",
    "api_key": "API_KEY",
}


class StoreSettings(Mapping[str, Any]):
    """The keyword arguments of one `initialize_*` method. Its repr shows no secret.

    Example:
        >>> settings = StoreSettings("redis", {"host": "localhost", "port": 6379, "password": "x"})
        >>> settings
        StoreSettings('redis', host='localhost', port=6379, password=[REDACTED])
        >>> settings.env["REDIS_PORT"]
        '6379'
        >>> settings | {"database": 3}
        StoreSettings('redis', host='localhost', port=6379, password=[REDACTED], database=3)
    """

    def __init__(self, kind: str, values: Mapping[str, Any]) -> None:
        self.kind = kind
        self._values = dict(values)

    @property
    def env(self) -> dict[str, str]:
        """The same settings as environment variables for `shared.config`."""
        return {
            f"{self.kind.upper()}_{_VARIABLES[name]}": str(value)
            for name, value in self._values.items()
            if name in _VARIABLES and value is not None
        }

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __or__(self, other: Mapping[str, Any]) -> StoreSettings:
        """Return the same settings with some values changed."""
        return StoreSettings(self.kind, {**self._values, **other})

    def __repr__(self) -> str:
        from shared.core.redaction import MARKER, key_verdict, scrub

        shown = ", ".join(
            f"{name}={MARKER if key_verdict(name) else repr(value)}"
            for name, value in self._values.items()
        )
        return scrub(f"StoreSettings({self.kind!r}, {shown})")
