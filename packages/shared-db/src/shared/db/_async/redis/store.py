"""One Redis database: its clients, its probe and its end."""

from __future__ import annotations

import contextlib
import math
import time
from typing import TYPE_CHECKING, Any

from shared.core import forks
from shared.core.checks import seconds

from ..._base.errors import PoolClosed
from ..._base.sealed import Sealed, shown
from ..._rules.redis import client_arguments, driver
from ..runtime import redis_connections, sleep

if TYPE_CHECKING:
    from redis.asyncio import Redis


class AsyncRedisStore:
    """One Redis database.

    Made by `AsyncDatabaseConnections.initialize_redis`; `client` is the driver's client.
    """

    store = "redis"

    def __init__(
        self,
        name: str = "default",
        *,
        timeout: float = 5.0,
        connect_timeout: float = 2.0,
        socket_timeout: float = 5.0,
        max_connections: int = 50,
        **arguments: Any,
    ) -> None:
        given = client_arguments(arguments)
        timeout = given.pop("timeout", timeout)  # the URL's
        max_connections = given.pop("max_connections", max_connections)
        self.name: str = name
        self.host: str = str(given.get("host", given.get("path", "")))
        self.port: int = int(given.get("port", 0))
        self.database: int = int(given["db"])
        self.timeout: float = seconds("timeout", timeout, unlimited=True)
        connect_timeout = seconds("connect_timeout", connect_timeout, above=0, unlimited=True)
        socket_timeout = seconds("socket_timeout", socket_timeout, above=0, unlimited=True)
        self.max_connections: int = max_connections
        self._sentinels = given.pop("sentinels", None)
        self._service = given.pop("service", None)
        if (self._sentinels is None) is not (self._service is None):
            raise ValueError("sentinels=[(host, port), ...] and service='name' come together")
        self.closed: bool = False
        self._client: Any = None
        self._probe: Any = None
        self.observers: list[Any] = []
        self._impatient: dict[float, Any] = {}
        given.setdefault("socket_timeout", None if socket_timeout == math.inf else socket_timeout)
        given.setdefault(
            "socket_connect_timeout", None if connect_timeout == math.inf else connect_timeout
        )
        self._arguments = Sealed(given)
        forks.renew(self)

    def renew_after_fork(self) -> None:
        """Start again in a forked child: the sockets belong to the parent."""
        forks.keep(self._client, self._probe, self._impatient)
        self._client = self._probe = None
        self._impatient = {}

    def __repr__(self) -> str:
        return shown(self, self.name, f"{self.host}:{self.port}/{self.database}")

    @property
    def client(self) -> Redis:
        """The driver's client.

        Raises:
            PoolClosed: `close` was called.
        """
        self._check_open()
        if self._client is None:
            self._client = self._make(self.timeout, self.max_connections)
            self._client.keeper = self
        return self._client  # type: ignore[no-any-return]

    def _check_open(self) -> None:
        if self.closed:
            raise PoolClosed(f"Redis {self.name!r} is closed")

    def _make(self, patience: float, connections: int, **more: Any) -> Any:
        driver()  # or which extra is missing
        from .client import make_client

        return make_client(
            self._arguments.open() | more,
            patience=patience,
            connections=connections,
            sentinels=self._sentinels,
            service=self._service or "",
        )

    def impatient(self, timeout: float) -> Any:
        """Return a client of the same database that waits less, for connections and answers.

        Raises:
            PoolClosed: `close` was called.
        """
        self._check_open()
        if timeout not in self._impatient:
            self._impatient[timeout] = self._make(
                timeout, 4, socket_timeout=timeout, socket_connect_timeout=timeout
            )
        return self._impatient[timeout]

    async def ping(self, timeout: float = 0.5) -> float:
        """Wait for an answer of the server, on a separate connection with short timeouts.

        Returns:
            Seconds that it took.

        Raises:
            Unavailable: None came in time.
        """
        self._check_open()
        if self._probe is None:
            self._probe = self._make(0, 1, socket_timeout=timeout, socket_connect_timeout=timeout)
        started = time.perf_counter()
        await self._probe.ping()
        return time.perf_counter() - started

    def snapshot(self) -> dict[str, Any]:
        """Return figures of the connection pool."""
        idle, in_use = 0, 0
        if self._client is not None:
            idle, in_use = redis_connections(self._client.connection_pool)
        return {"idle": idle, "in_use": in_use, "max": self.max_connections}

    async def close(self, timeout: float = 10.0) -> dict[str, int]:
        """Close the connections once what runs has ended, or after the timeout."""
        self.closed = True
        for client in (self._client, self._probe, *self._impatient.values()):
            if client is not None:
                client.come_home()
        running = cancelled = 0
        if self._client is not None:
            running = self.snapshot()["in_use"]
            deadline = time.monotonic() + timeout
            while (cancelled := self.snapshot()["in_use"]) and time.monotonic() < deadline:
                await sleep(0.01)
        for client in (self._client, self._probe, *self._impatient.values()):
            if client is not None:
                with contextlib.suppress(driver().RedisError, OSError):  # it is gone either way
                    await client.connection_pool.disconnect()
        return {"cancelled": cancelled, "finished": running - cancelled}
