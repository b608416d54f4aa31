# ruff: noqa: ASYNC109 - the synchronous form has no scopes to cancel
"""Redis through redis-py: the driver's own client, with calls that are lost told apart."""

from __future__ import annotations

import contextlib
import functools
import time
from typing import TYPE_CHECKING, Any

from .._errors import OutcomeUnknown, PoolClosed, PoolExhausted, Unavailable
from .._forks import forgets_parent
from .._observe import observed
from .._reasons import is_lasting, reason
from .._redis import client_arguments, driver, repeatable
from .._sealed import Sealed, scrub
from ._runtime import Watchful, redis_connections, sleep

if TYPE_CHECKING:
    from redis.asyncio import Redis


@functools.cache
def classes() -> Any:
    """Our subclasses of the driver's, made when the driver is first needed."""
    base, errors = driver().asyncio, driver().exceptions

    class Unsent(errors.ConnectionError):  # type: ignore[misc,name-defined]
        """No connection was made: nothing was sent."""

        lasting = False

    class Refused(Unsent):
        """Trying again is no use."""

        lasting = True

    class Waiting(Watchful):
        """A connection that waits for a server that is restarting."""

        patience = 5.0
        resolve: Any = None

        async def connect(self) -> None:
            """Connects, again and again until the server is back."""
            if self.is_connected:  # type: ignore[attr-defined]
                if not self.hung_up():
                    return
                await self.disconnect()  # type: ignore[attr-defined]
            deadline = time.monotonic() + self.patience
            delay = 0.01
            while True:
                try:
                    if self.resolve is not None:
                        self.host, self.port = await self.resolve()
                    await super().connect()  # type: ignore[misc]
                except (errors.AuthenticationError, errors.AuthorizationError) as error:
                    raise Refused(f"{self._place()} refuses: {error}") from scrub(error)
                except (errors.ConnectionError, errors.TimeoutError) as error:
                    failed = f"{self._place()} cannot be reached: {reason(error)}"
                    if is_lasting(error):
                        raise Refused(failed) from scrub(error)
                    if time.monotonic() + delay > deadline:
                        raise Unsent(failed) from scrub(error)
                else:
                    return
                await sleep(delay)
                delay = min(delay * 1.6, 0.15)

        def _place(self) -> str:
            return getattr(self, "path", None) or f"{self.host}:{self.port}"

    class Connection(Waiting, base.Connection):  # type: ignore[misc,name-defined]
        """Over TCP."""

    class SSLConnection(Waiting, base.SSLConnection):  # type: ignore[misc,name-defined]
        """Over TLS."""

    class SocketConnection(Waiting, base.UnixDomainSocketConnection):  # type: ignore[misc,name-defined]
        """Over a socket of this machine."""

    class Pipeline(base.client.Pipeline):  # type: ignore[misc,name-defined]
        """A pipeline that says when nobody knows whether it ran."""

        keeper: Any = None
        whole = True

        async def execute(self, raise_on_error: bool = True) -> Any:
            """Runs the commands, as the driver's pipeline does."""
            if self.keeper is None or not self.keeper.observers:
                return await self._try(raise_on_error)
            with observed(self.keeper, "MULTI" if self.whole else "PIPELINE"):
                return await self._try(raise_on_error)

        async def _try(self, raise_on_error: bool) -> Any:
            commands: list[Any] = list(self.command_stack)  # type: ignore[has-type]
            every = all(repeatable(command[0]) for command in commands)
            for attempt in (1, 2):
                try:
                    return await super().execute(raise_on_error)
                except Unsent as error:
                    raise unavailable(error) from scrub(error)
                except (errors.ConnectionError, errors.TimeoutError) as error:
                    if every and not self.watching and attempt == 1:
                        self.command_stack = commands
                        continue
                    raise unknown("a pipeline", error) from scrub(error)
            return None

    class Client(base.Redis):  # type: ignore[misc,name-defined]
        """The driver's client."""

        keeper: Any = None

        async def execute_command(self, *arguments: Any, **options: Any) -> Any:
            """Runs one command. Only a command that may run twice is ever sent again."""
            if self.keeper is None or not self.keeper.observers:
                return await self._try(arguments, options)
            with observed(self.keeper, str(arguments[0]).upper()):
                return await self._try(arguments, options)

        async def _try(self, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
            attempts = 0
            until: float | None = None
            while True:
                attempts += 1
                try:
                    return await super().execute_command(*arguments, **options)
                except Unsent as error:
                    raise unavailable(error) from scrub(error)
                except errors.BusyLoadingError as error:
                    # It has come back and reads its data in: nothing was done.
                    attempts = 0
                    until = until or time.monotonic() + self.patience
                    if time.monotonic() > until:
                        raise Unavailable(f"Redis is not ready: {error}", store="redis") from scrub(
                            error
                        )
                    await sleep(0.02)
                except errors.ReadOnlyError:
                    # A primary that has become a replica did nothing: ask the Sentinels again.
                    if attempts > 2 or self.connection_pool.connection_class.resolve is None:
                        raise
                    await self.connection_pool.disconnect()
                except errors.MaxConnectionsError as error:
                    raise exhausted(self, error) from None
                except (errors.AuthenticationError, errors.AuthorizationError) as error:
                    raise Unavailable(
                        f"Redis refuses: {error}", store="redis", lasting=True
                    ) from scrub(error)
                except (errors.ConnectionError, errors.TimeoutError) as error:
                    if str(error) == "No connection available.":
                        raise exhausted(self, error) from None
                    if attempts > 2 or not repeatable(arguments):
                        raise unknown(str(arguments[0]), error) from scrub(error)
                except (ValueError, OSError, AttributeError) as error:
                    # Its socket was closed under it.
                    if self.keeper is None or not self.keeper.closed:
                        raise
                    raise unknown(str(arguments[0]), error) from scrub(error)

        @property
        def patience(self) -> float:
            """Seconds to wait for a server that is restarting."""
            return float(self.connection_pool.connection_class.patience)

        def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:
            """A pipeline: its commands go out together."""
            made = Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
            made.keeper, made.whole = self.keeper, transaction
            return made

    def unavailable(error: Unsent) -> Unavailable:
        return Unavailable(f"Redis at {error}", store="redis", lasting=error.lasting)

    def unknown(what: str, error: BaseException) -> OutcomeUnknown:
        return OutcomeUnknown(f"the answer to {what} was lost: {error}", store="redis")

    def exhausted(client: Any, _error: BaseException) -> PoolExhausted:
        pool = client.connection_pool
        return PoolExhausted("redis", float(pool.timeout), int(pool.max_connections), [])

    return {
        "tcp": Connection,
        "tls": SSLConnection,
        "socket": SocketConnection,
        "client": Client,
        "sentinels": base.sentinel.Sentinel,
        "retry": base.retry.Retry,
        "pool": base.BlockingConnectionPool,
    }


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
        self.timeout: float = timeout
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
        given.setdefault("socket_timeout", socket_timeout)
        given.setdefault("socket_connect_timeout", connect_timeout)
        self._arguments = Sealed(given)
        forgets_parent(self)

    def forget_parent(self) -> list[Any]:
        """In a forked child: the sockets belong to the parent."""
        clients = [self._client, self._probe, *self._impatient.values()]
        self._client = self._probe = None
        self._impatient = {}
        return clients

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} {self.host}:{self.port}/{self.database}>"

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
        arguments = self._arguments.open() | more
        tls = arguments.pop("ssl", False)
        kind = "socket" if "path" in arguments else "tls" if tls else "tcp"
        made = classes()
        body: dict[str, Any] = {"patience": patience}
        if self._sentinels is not None:
            sentinels = made["sentinels"](
                self._sentinels,
                sentinel_kwargs={"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
            )
            service = self._service

            async def resolve(_connection: Any) -> Any:
                return await sentinels.discover_master(service)

            body["resolve"] = resolve
        waiting = type("Connection", (made[kind],), body)
        pool = made["pool"](
            connection_class=waiting,
            max_connections=connections,
            timeout=patience or 0.5,
            retry=made["retry"](driver().backoff.NoBackoff(), 0),
            **arguments,
        )
        return made["client"].from_pool(pool)

    def impatient(self, timeout: float) -> Any:
        """A client of the same database that waits less: for connections and for answers.

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
        """Asks the server for an answer, on a connection of its own with short timeouts.

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
        """Figures of the connection pool."""
        idle, in_use = 0, 0
        if self._client is not None:
            idle, in_use = redis_connections(self._client.connection_pool)
        return {"idle": idle, "in_use": in_use, "max": self.max_connections}

    async def close(self, timeout: float = 10.0) -> dict[str, int]:
        """Closes the connections once what runs has ended, or after the timeout."""
        self.closed = True
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
