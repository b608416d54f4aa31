"""Qdrant through qdrant-client: one client for all, made when first used."""

from __future__ import annotations

import time
import warnings
from typing import Any

from shared.core.checks import seconds

from .._base.errors import OutcomeUnknown, PoolClosed, Unavailable
from .._base.observe import observed
from .._base.reasons import is_lasting, reason
from .._base.sealed import Sealed, freed, shown
from .._rules.qdrant import REFUSALS, client_arguments, driver, repeatable
from .lazy import AsyncLazy
from .runtime import sleep


class AsyncQdrant(AsyncLazy):
    """One Qdrant server, with the methods of qdrant-client's client.

    A call waits for a restarting server. A call that was lost after it was sent is
    repeated unless it creates or removes a collection: that is an `OutcomeUnknown`.

    Made by `AsyncDatabaseConnections.initialize_qdrant`.
    """

    store = "qdrant"

    def __init__(
        self,
        name: str = "default",
        *,
        timeout: float = 5.0,
        query_timeout: int = 30,
        **arguments: Any,
    ) -> None:
        super().__init__()
        given = client_arguments(arguments)
        self.name: str = name
        self.timeout: float = seconds("timeout", timeout, unlimited=True)
        self.embedded: bool = bool({"location", "path"} & given.keys())
        self.host: str = "" if self.embedded else str(given["host"])
        self.port: int = int(given.get("port") or 6333)
        if not self.embedded:
            given.setdefault("timeout", query_timeout)
            given.setdefault("check_compatibility", False)
        self._arguments = Sealed(given)

    def __repr__(self) -> str:
        where = "local mode" if self.embedded else f"{self.host}:{self.port}"
        return shown(self, self.name, where)

    async def client(self) -> Any:
        """Return the driver's own client, made when first used.

        Raises:
            PoolClosed: `close` was called.
        """
        self.come_home()
        if self._client is None:
            async with self._making:
                if self._closed:
                    raise PoolClosed(f"Qdrant {self.name!r} is closed")
                if self._client is None:
                    with warnings.catch_warnings():
                        # Embedded stores take a key over plain HTTP on this machine.
                        warnings.filterwarnings(
                            "ignore", "Api key is used with an insecure connection"
                        )
                        self._client = driver().AsyncQdrantClient(**self._arguments.open())
        return self._client

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        async def method(*arguments: Any, **keywords: Any) -> Any:
            return await self._call(name, arguments, keywords)

        method.__name__ = name
        return method

    async def _call(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if not self.observers:
            return await self._try(name, arguments, keywords)
        with observed(self, name):
            return await self._try(name, arguments, keywords)

    async def _try(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        errors = driver().http.exceptions
        deadline = time.monotonic() + self.timeout
        delay = 0.02
        while True:
            try:
                client = await self.client()
                self._calls += 1
                try:
                    return await getattr(client, name)(*arguments, **keywords)
                finally:
                    self._calls -= 1
            except errors.UnexpectedResponse as error:
                if error.status_code not in REFUSALS:
                    raise
                raise self._refused(error) from freed(error)
            except errors.ResponseHandlingException as error:
                source = error.source if hasattr(error, "source") else error
                kinds = {cls.__name__ for cls in type(source).__mro__}
                if "TransportError" not in kinds:
                    raise
                unsent = bool(kinds & {"ConnectError", "ConnectTimeout", "PoolTimeout"})
                how = "cannot be reached" if unsent else f"was lost during {name}"
                text = f"Qdrant at {self.host}:{self.port} {how}: {reason(error)}"
                lasting = is_lasting(error)
                cause = freed(error)
                if not unsent and not repeatable(name):
                    raise OutcomeUnknown(text, store=self.store) from cause
                if lasting or time.monotonic() + delay > deadline:
                    raise Unavailable(text, store=self.store, lasting=lasting) from cause
            await sleep(delay)
            delay = min(delay * 1.6, 0.15)

    def _refused(self, error: Any) -> Unavailable:
        said = f"{error.status_code} {error.reason_phrase}"
        return Unavailable(
            f"Qdrant at {self.host}:{self.port} refuses: {said}", store=self.store, lasting=True
        )

    async def ping(self, timeout: float = 2.0) -> float:  # noqa: ARG002 - like the other stores
        """Wait for an answer of the server.

        Returns:
            Seconds that it took.

        Raises:
            Unavailable: None came.
        """
        started = time.perf_counter()
        client = await self.client()
        try:
            await client.get_collections()
        except driver().http.exceptions.UnexpectedResponse as error:
            if error.status_code not in REFUSALS:
                raise
            raise self._refused(error) from freed(error)
        except driver().http.exceptions.ResponseHandlingException as error:
            lasting = is_lasting(error)
            raise Unavailable(
                f"Qdrant at {self.host}:{self.port} cannot be reached: {reason(error)}",
                store=self.store,
                lasting=lasting,
            ) from freed(error)
        return time.perf_counter() - started

    def snapshot(self) -> dict[str, Any]:
        """Return figures: calls in flight."""
        return {"in_use": self._calls}

    async def close(self, timeout: float = 10.0) -> dict[str, int]:
        """Close the client once what runs has ended, or after the timeout."""
        self.come_home()
        self._closed = True
        deadline = time.monotonic() + timeout
        running = self._calls
        while self._calls and time.monotonic() < deadline:
            await sleep(0.01)
        cancelled = self._calls
        client, self._client = self._client, None
        if client is not None:
            await client.close()
        return {"cancelled": cancelled, "finished": running - cancelled}
