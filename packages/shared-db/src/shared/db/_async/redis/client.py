"""The driver's classes, with lost calls told apart.

Imports redis-py, so it is imported only when the first client is made.
"""

from __future__ import annotations

import math
import queue
import time
from typing import Any, cast

from redis import exceptions as errors
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio import Connection as Tcp
from redis.asyncio import SSLConnection as Tls
from redis.asyncio import UnixDomainSocketConnection as Socket
from redis.asyncio.client import Pipeline as DriversPipeline
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from shared.core import forks

from ..._base.observe import observed
from ..._base.reasons import is_lasting, reason
from ..._base.sealed import freed
from ..._base.settings import key_of
from ..._rules.redis import blocks_for, repeatable
from ..._rules.redis_verdicts import (
    CAUGHT,
    NoneFree,
    Refused,
    Unsent,
    Verdict,
    failure,
    verdict,
)
from ..runtime import Home, Watchful, patiently, sleep

_REPEATS = 2  # of one call
_ONCE, _AGAIN = Retry(NoBackoff(), 0), Retry(NoBackoff(), 3)
# A wrong password, a user without rights, a database that does not exist.
_REFUSALS = (errors.AuthenticationError, errors.AuthorizationError, errors.ResponseError)


class Waiting(Watchful):
    """A connection that waits for a restarting server."""

    patience = 5.0
    resolve: Any = None
    wait: float | None = None

    async def connect(self) -> None:
        """Connect; try again until the server is back."""
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
            except _REFUSALS as error:
                raise Refused(f"{self._place()} refuses: {error}") from freed(error)
            except (errors.ConnectionError, errors.TimeoutError) as error:
                failed = f"{self._place()} cannot be reached: {reason(error)}"
                if is_lasting(error):
                    raise Refused(failed) from freed(error)
                if time.monotonic() + delay > deadline:
                    raise Unsent(failed) from freed(error)
            else:
                return
            await sleep(delay)
            delay = min(delay * 1.6, 0.15)

    async def send_command(self, *arguments: Any, **options: Any) -> None:
        """Send a command; note how long the server may wait before it answers."""
        self.wait = blocks_for(arguments)
        await super().send_command(*arguments, **options)  # type: ignore[misc]

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        """Read an answer; that of a blocking command may take as long as it blocks."""
        wait, self.wait = self.wait, None
        read = super().read_response  # type: ignore[misc]
        if wait is None or "timeout" in options:
            return await read(*arguments, **options)
        return await patiently(self, read, wait, arguments, options)

    def _place(self) -> str:
        return getattr(self, "path", None) or f"{self.host}:{self.port}"


class TCPConnection(Waiting, Tcp):
    """Over TCP."""


class TLSConnection(Waiting, Tls):
    """Over TLS."""


class SocketConnection(Waiting, Socket):
    """Over a socket of this machine."""


class Pool(BlockingConnectionPool):
    """A pool that reports when no connection came free."""

    async def get_connection(self, *arguments: Any, **options: Any) -> Any:
        """Take a connection, as the driver's pool does."""
        try:
            connection = await super().get_connection(*arguments, **options)  # type: ignore[no-untyped-call]
        except errors.ConnectionError as error:
            if isinstance(error.__context__, (queue.Empty, TimeoutError)):
                raise NoneFree(str(error)) from None
            raise
        connection.retry = _ONCE  # a subscriber may have had it
        return connection


class Subscriber(PubSub):
    """The driver's publish and subscribe, which goes on when the server is back."""

    async def execute_command(self, *arguments: Any) -> Any:
        """Send a command; lost after it, the connection is made and subscribed again."""
        try:
            driver: Any = super()
            return await driver.execute_command(*arguments)
        except errors.ConnectionError as error:
            raise _away(error) from freed(error)
        finally:
            connection: Any = self.connection
            if connection is not None:
                connection.retry = _AGAIN

    async def parse_response(self, *arguments: Any, **options: Any) -> Any:
        """Read what was published, as the driver does."""
        try:
            driver: Any = super()
            return await driver.parse_response(*arguments, **options)
        except errors.ConnectionError as error:
            raise _away(error) from freed(error)


def _away(error: Exception) -> Exception:
    found = Verdict.EXHAUSTED if isinstance(error, NoneFree) else Verdict.UNAVAILABLE
    return failure(found, error, "a subscription", (0.0, 0))


class Trials:
    """The attempts at one call that failed at first."""

    def __init__(self, client: Any, call: str, *, repeatable: bool, single: bool) -> None:
        self._client = client
        self._call = call
        self._repeatable = repeatable
        self._single = single
        self._left = _REPEATS
        self._until = math.inf

    async def again(self, error: Exception) -> bool:
        """Report whether the call is to be made again, after the pause that it needs.

        Returns:
            False if the driver's own error is the answer.

        Raises:
            Unavailable: Nothing was sent, or (`OutcomeUnknown`) the answer was lost.
            PoolExhausted: No connection came free.
        """
        client, pool = self._client, self._client.connection_pool
        closed = client.keeper is not None and client.keeper.closed
        repeatable = self._repeatable and self._left > 0
        found = verdict(error, repeatable=repeatable, single=self._single, closed=closed)
        if found is Verdict.AGAIN:
            self._left -= 1
            return True
        if found is Verdict.WAIT:
            self._left = _REPEATS
            self._until = min(self._until, time.monotonic() + pool.connection_class.patience)
            if time.monotonic() <= self._until:
                await sleep(0.02)
                return True
        if found is Verdict.MOVED and self._left > 0 and pool.connection_class.resolve is not None:
            self._left -= 1
            await pool.disconnect()
            return True
        if found in {Verdict.MOVED, Verdict.RAISE}:
            return False
        size = float(pool.timeout), int(pool.max_connections)
        cause = None if found is Verdict.EXHAUSTED else freed(error)
        name = key_of("redis", getattr(client.keeper, "name", "default"))
        raise failure(found, error, self._call, size, name) from cause


class Pipeline(DriversPipeline):
    """A pipeline that reports when it is unknown whether it ran."""

    keeper: Any = None
    whole = True

    async def execute(self, raise_on_error: bool = True) -> Any:
        """Run the commands, as the driver's pipeline does."""
        if self.keeper is None or not self.keeper.observers:
            return await self._try(raise_on_error)
        with observed(self.keeper, "MULTI" if self.whole else "PIPELINE"):
            return await self._try(raise_on_error)

    async def _try(self, raise_on_error: bool) -> Any:
        commands = list(self.command_stack)
        watching = self.watching
        trials: Trials | None = None
        while True:
            try:
                return await super().execute(raise_on_error)
            except CAUGHT as error:
                if trials is None:
                    again = not watching and all(repeatable(command[0]) for command in commands)
                    trials = Trials(self, "a pipeline", repeatable=again, single=False)
                if not await trials.again(error):
                    raise
                self.command_stack = commands


class Client(Redis):
    """The driver's client."""

    keeper: Any = None
    remake: Any = None
    home: Home

    def come_home(self) -> None:
        """Start again in another event loop: connections of a closed one are of no use."""
        if self.home.moved():
            forks.keep(self.connection_pool)
            self.connection_pool = self.remake()

    async def execute_command(self, *arguments: Any, **options: Any) -> Any:
        """Run one command. Only a command that may run twice is ever sent again."""
        self.come_home()
        if self.keeper is None or not self.keeper.observers:
            return await self._try(arguments, options)
        with observed(self.keeper, str(arguments[0]).upper()):
            return await self._try(arguments, options)

    async def _try(self, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        trials: Trials | None = None
        while True:
            try:
                return await super().execute_command(*arguments, **options)  # type: ignore[no-untyped-call]
            except CAUGHT as error:
                if trials is None:
                    name = str(arguments[0])
                    trials = Trials(self, name, repeatable=repeatable(arguments), single=True)
                if not await trials.again(error):
                    raise

    def pubsub(self, **options: Any) -> Subscriber:
        """Return a subscriber, which goes on after a restart of the server."""
        self.come_home()
        return Subscriber(self.connection_pool, **options)

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:
        """Return a pipeline: its commands go out together."""
        self.come_home()
        made = Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        made.keeper, made.whole = self.keeper, transaction
        return made


def make_client(
    arguments: dict[str, Any],
    *,
    patience: float,
    connections: int,
    sentinels: Any = None,
    service: str = "",
) -> Client:
    """Return a client with its own pool.

    Args:
        arguments: Those of the driver's connections, and `ssl` or `path`, which choose their kind.
        patience: Seconds to wait for an unreachable server, and for a free connection.
        connections: The most connections.
        sentinels: Hosts and ports of Sentinels, which know the primary.
        service: The name by which they know it.
    """
    tls = arguments.pop("ssl", False)
    made: Any = Pool
    kind: Any = SocketConnection if "path" in arguments else TLSConnection if tls else TCPConnection
    body: dict[str, Any] = {"patience": patience}
    if sentinels is not None:
        body["resolve"] = _resolver(sentinels, service)
    arguments |= {
        "timeout": (None if patience == math.inf else patience) if patience else 0.5,
        "max_connections": connections,
    }
    kind = type("Connection", (kind,), body)

    def remake() -> Any:
        return made(connection_class=kind, retry=_ONCE, **arguments)

    client = cast("Client", Client.from_pool(remake()))
    client.remake, client.home = remake, Home()
    return client


def _resolver(sentinels: Any, service: str) -> Any:
    """Return a method that asks the Sentinels for the primary."""
    asked = Sentinel(
        sentinels, sentinel_kwargs={"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
    )

    async def resolve(_connection: Any) -> Any:
        return await asked.discover_master(service)

    return resolve
