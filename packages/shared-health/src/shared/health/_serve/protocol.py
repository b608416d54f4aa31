"""uvicorn's HTTP protocol for a bounded number of connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio
    from collections import OrderedDict


class BoundedProtocol(H11Protocol):
    """A connection that a silent client cannot hold.

    uvicorn's own limit answers 503 and keeps the connection, and one that sends nothing
    may stay for ever. Here a silent one is closed, and the one that has been silent for
    longest makes room: the kubelet's probe always gets in.

    Attributes:
        settings: The open connections, how many there may be, and the seconds in which a
            client must have sent its request.
    """

    settings: tuple[OrderedDict[BoundedProtocol, None], int, float]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = False
        self._request_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Make room for it, and wait for its request."""
        open_ones, limit, patience = self.settings
        super().connection_made(transport)
        if len(open_ones) >= limit:
            oldest = next((c for c in open_ones if not c.answering), next(iter(open_ones)))
            del open_ones[oldest]
            oldest.transport.abort()
        open_ones[self] = None
        self._request_timer = self.loop.call_later(patience, self._give_up, patience)

    @property
    def answering(self) -> bool:
        """Whether a request is being answered."""
        cycle: Any = self.cycle  # None before the first request
        return cycle is not None and not cycle.response_complete

    def _give_up(self, patience: float) -> None:
        if self.answering:
            self._request_timer = self.loop.call_later(patience, self._give_up, patience)
        else:
            self.transport.abort()

    def on_response_complete(self) -> None:
        """Send the answer at once, and wait for the next request."""
        open_ones, _, patience = self.settings
        self.transport.flush()  # type: ignore[attr-defined]  # a Connection
        if self in open_ones:
            open_ones.move_to_end(self)
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = self.loop.call_later(patience, self._give_up, patience)
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self.settings[0].pop(self, None)
        if self._request_timer is not None:
            self._request_timer.cancel()
        super().connection_lost(exc)
