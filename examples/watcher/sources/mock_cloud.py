"""A small cloud provider over HTTP that is as unreliable as the real ones.

`GET /v1/instances` reports the price and utilisation of a few instances as JSON.
About a third of the answers fail, each in its own way: 503 with Retry-After, 500,
a body cut short, or an answer later than anybody waits. During an outage all fail.
The seed makes the sequence of faults the same in every run.
"""

from __future__ import annotations

import contextlib
import json
import math
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

INSTANCES = ("gpu-a100-1", "gpu-a100-2", "gpu-h100-1")
FAULTS = ("unavailable", "error", "garbage", "slow")
FAULT_RATE = 1 / 3


class MockCloud:
    """The running server; `outage(on=True)` makes every answer fail until `outage(on=False)`."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, seed: int = 7) -> None:
        self._random = random.Random(seed)  # noqa: S311 - faults, not secrets
        self._lock = threading.Lock()
        self._outage = False
        self._stopping = threading.Event()
        self._started = time.monotonic()
        self.answered = 0
        self.failed = 0
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):  # a caller may give up at any time
                    super().handle()

            def do_GET(self) -> None:
                cloud.answer(self)

            def log_message(self, *_: Any) -> None:
                """Stay quiet: the caller logs."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="mock-cloud", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def outage(self, *, on: bool) -> None:
        """Begin or end an outage."""
        self._outage = on

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request, or fail it."""
        with self._lock:
            fault = "unavailable" if self._outage else self._draw()
            self.answered += 1
            self.failed += fault is not None
            report = self._report()
        body = json.dumps(report).encode()
        if fault == "slow":
            self._stopping.wait(1.5)
        status = {"unavailable": 503, "error": 500}.get(fault or "", 200)
        handler.send_response(status)
        if fault == "unavailable":
            handler.send_header("Retry-After", "0.05")
        if fault == "garbage":
            body = body[: len(body) // 2]
        if status != 200:
            body = b'{"error": "try again"}'
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _draw(self) -> str | None:
        if self._random.random() >= FAULT_RATE:
            return None
        return self._random.choice(FAULTS)

    def _report(self) -> dict[str, Any]:
        """Return prices that drift and utilisation with a daily shape, played fast, and rushes."""
        elapsed = time.monotonic() - self._started
        noise = self._random.gauss
        instances = {}
        for number, name in enumerate(INSTANCES):
            busy = 55 + 20 * math.sin(elapsed / 4 + number) + noise(0, 2)
            price = 2.0 + number + 0.1 * math.sin(elapsed / 10) + noise(0, 0.01)
            if name == INSTANCES[-1] and elapsed % 20 > 18.5:  # a rush, every now and then
                busy, price = 100.0, 1.5 * price
            instances[name] = {"price": round(price, 4), "utilisation": round(min(busy, 100.0), 2)}
        return {"time": time.time_ns(), "instances": instances}
