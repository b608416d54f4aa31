"""A server that is not ours, with the face of an embedded store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn
from urllib.parse import parse_qsl

import pytest

from .._base.urls import parsed_url
from ..embedded._base.settings import StoreSettings

if TYPE_CHECKING:
    from collections.abc import Callable

_TLS = {"rediss": {"ssl": True}, "https": {"secure": True}, "clickhouses": {"secure": True}}


class ServerStore:
    """A store named by an environment variable.

    It is used and never stopped: `kill`, `stop` and the like skip the test that calls them.

    Attributes:
        kind: `"postgres"`, `"redis"`, `"clickhouse"` or `"qdrant"`.
        url: Its URL, with user and password.
        host: Its host.
        port: Its port.
    """

    def __init__(self, kind: str, url: str) -> None:
        self._parsed = parsed_url(kind, url)
        self.kind = kind
        self.url = url
        self.host: str = self._parsed.host
        self.port: int = self._parsed.port or type(self._parsed).default_port

    @property
    def settings(self) -> StoreSettings:
        """The keyword arguments of `initialize_<kind>`, as a mapping."""
        parsed = self._parsed
        secret = parsed.password.reveal() if parsed.password is not None else None
        values: dict[str, Any] = {"host": self.host, "port": self.port}
        if self.kind == "qdrant":
            values |= {"api_key": secret, "prefix": parsed.database}
            values["https"] = parsed.scheme == "https"
        else:
            values |= {"database": parsed.database, "user": parsed.user, "password": secret}
            values |= _TLS.get(parsed.scheme, {})
        values |= dict(parse_qsl(parsed.reveal().partition("?")[2]))
        return StoreSettings(self.kind, {k: v for k, v in values.items() if v is not None})

    @property
    def env(self) -> dict[str, str]:
        """The variable that `shared.config` reads."""
        return {f"{self.kind.upper()}_URL": self.url}

    def __repr__(self) -> str:
        return f"<{self.kind} {self.host}:{self.port}>"

    def start(self) -> NoReturn:
        """Skip the test: the server is not ours."""
        variable = f"SHARED_DB_TEST_{self.kind.upper()}_URL"
        pytest.skip(f"{self!r} is not ours to stop or start: unset {variable} for this test")

    kill: ClassVar[Callable[..., NoReturn]] = start
    stop: ClassVar[Callable[..., NoReturn]] = start
    shutdown: ClassVar[Callable[..., NoReturn]] = start
    restart: ClassVar[Callable[..., NoReturn]] = start
    pause: ClassVar[Callable[..., NoReturn]] = start
    resume: ClassVar[Callable[..., NoReturn]] = start
