"""A server that somebody else runs, with the face of an embedded store."""

from __future__ import annotations

from typing import Any

from .._urls import parsed_url
from ..embedded._settings import StoreSettings


class ServerStore:
    """A store that an environment variable names.

    Attributes:
        kind: ``"postgres"``, ``"redis"``, ``"clickhouse"`` or ``"qdrant"``.
        url: Its URL, with user and password.
        host: Its host.
        port: Its port.
    """

    def __init__(self, kind: str, url: str) -> None:
        parsed = parsed_url(kind, url)
        self.kind = kind
        self.url = url
        self.host: str = parsed.host
        self.port: int = parsed.port or type(parsed).default_port

    @property
    def settings(self) -> StoreSettings:
        """The keyword arguments of ``initialize_<kind>``, as a mapping."""
        return StoreSettings(self.kind, {"url": self.url})

    @property
    def env(self) -> dict[str, str]:
        """The variable that `shared.config` reads."""
        return {f"{self.kind.upper()}_URL": self.url}

    def __repr__(self) -> str:
        return f"<{self.kind} {self.host}:{self.port}>"

    def _refuse(self) -> Any:
        raise NotImplementedError(f"{self!r} is not ours to stop: use an embedded store")

    def kill(self) -> None:
        """Refused: the server is not ours."""
        self._refuse()

    def stop(self) -> None:
        """Refused: the server is not ours."""
        self._refuse()
