"""How fast probes, bookkeeping and the import are.

python packages/shared-health/benchmarks/run.py [--quick]

Servers run in their own processes; this one is the client. Rounds of ours and of the
peers alternate, and the figures are medians over the rounds.
"""

from __future__ import annotations

import argparse
import http.client
import platform
import signal
import socket
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from shared.health import CheckResult, HealthStatus
from shared.health._run.state import CheckState

if TYPE_CHECKING:
    from collections.abc import Callable

SERVERS = {
    "ours": """
from shared.health import Health, HealthServer
health = Health("bench")
for i in range(10):
    health.add(f"check {i}", lambda: None)
server = HealthServer(health, port=0, host="127.0.0.1").start_in_background()
port = server.port
""",
    "uvicorn, a bare application in a thread": """
import asyncio, socket, threading, time, uvicorn
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})
sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
sock.bind(("127.0.0.1", 0))
port = sock.getsockname()[1]
config = uvicorn.Config(app, http="h11", loop="asyncio", ws="none", lifespan="off", access_log=False, log_level="error")
server = uvicorn.Server(config)
threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True).start()
while not server.started:
    time.sleep(0.01)
""",
    "http.server, threads": """
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
    def log_message(self, *_): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
port = server.server_port
threading.Thread(target=server.serve_forever, daemon=True).start()
""",
}
IDLE = "print(port, flush=True)\nimport sys\nsys.stdin.read()\n"
# A main thread that never releases the interpreter lock on its own.
BUSY = """
print(port, flush=True)
import os, sys, threading
def end():
    sys.stdin.read()
    os._exit(0)
threading.Thread(target=end, daemon=True).start()
x = 0
while True:
    x = (x * 31 + 7) % 1000003
"""


class Server:
    """A server in its own process."""

    def __init__(self, text: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.process.send_signal(signal.SIGSTOP)

    def measure(self, way: Callable[[int, int], list[float]], count: int) -> list[float]:
        """Measure alone: the others are stopped, or their busy threads would use the cores."""
        self.process.send_signal(signal.SIGCONT)
        try:
            way(self.port, 10)
            return way(self.port, count)
        finally:
            self.process.send_signal(signal.SIGSTOP)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()


def kept_open(port: int, count: int) -> list[float]:
    """Seconds of each probe over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        connection.request("GET", "/health/ready")
        connection.getresponse().read()
        times.append(time.perf_counter() - begin)
    connection.close()
    return times


def each_new(port: int, count: int) -> list[float]:
    """Seconds of each probe over its own connection, as the kubelet does it."""
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.sendall(b"GET /health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            while sock.recv(65536):
                pass
        times.append(time.perf_counter() - begin)
    return times


def quantile(times: list[float], part: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * part))]


def probes(*, quick: bool) -> list[list[str]]:
    rounds, count = (3, 60) if quick else (7, 300)
    rows = []
    for load, ending in (("idle", IDLE), ("busy main thread", BUSY)):
        servers = {name: Server(text + ending) for name, text in SERVERS.items()}
        try:
            for way, measure in (("kept open", kept_open), ("new connection", each_new)):
                n = count if load == "idle" else count // 3
                taken: dict[str, list[list[float]]] = {name: [] for name in servers}
                for _ in range(rounds):
                    for name, server in servers.items():
                        taken[name].append(server.measure(measure, n))
                for name, rounds_taken in taken.items():
                    median = statistics.median(quantile(r, 0.5) for r in rounds_taken) * 1000
                    p99 = statistics.median(quantile(r, 0.99) for r in rounds_taken) * 1000
                    verdict = ""
                    if name == "ours" and load == "idle":
                        verdict = f"median < 1 ms: {'met' if median < 1 else 'MISSED'}"
                    elif name == "ours":
                        verdict = f"p99 <= 20 ms: {'met' if p99 <= 20 else 'MISSED'}"
                    rows.append([load, way, name, f"{median:.2f} ms", f"{p99:.2f} ms", verdict])
        finally:
            for server in servers.values():
                server.close()
    return rows


def bookkeeping(*, quick: bool) -> float:
    """Seconds for the bookkeeping of one run of a check: start, result, reading it."""
    state = CheckState("bench", interval=1)
    result = CheckResult(HealthStatus.UNHEALTHY, "cannot reach redis://app:secret@cache:6379")
    best = []
    for _ in range(3 if quick else 9):
        begin = time.perf_counter()
        for i in range(2000):
            state.start(float(i))
            state.finish(i + 0.01, result)
            state.view(float(i))
        best.append((time.perf_counter() - begin) / 2000)
    return min(best)


def importing(statement: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - begin


def import_ratio(ours: str, peer: str, *, quick: bool) -> tuple[float, float, float]:
    """Seconds above a bare interpreter, ours and the peer's, and the median of the ratios."""
    ratios, mine, theirs = [], [], []
    for _ in range(5 if quick else 15):
        bare, a, b = importing("pass"), importing(ours), importing(peer)
        mine.append(a - bare)
        theirs.append(b - bare)
        ratios.append((a - bare) / (b - bare))
    return statistics.median(mine), statistics.median(theirs), statistics.median(ratios)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    rows = probes(quick=quick)
    took = bookkeeping(quick=quick)
    mine, theirs, ratio = import_ratio("import shared.health", "import uvicorn", quick=quick)
    lines = [
        "# Benchmark of shared-health",
        "",
        "Written by `benchmarks/run.py`"
        + (" (`--quick`)." if quick else ".")
        + f" {platform.machine()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, uvicorn {version('uvicorn')}.",
        "",
        "A probe of `/health/ready` with ten checks; medians over the rounds.",
        "",
        "| Server | Connection | | Median | p99 | Bar |",
        "| --- | --- | --- | --- | --- | --- |",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        "| What | Measured | Bar |",
        "| --- | --- | --- |",
        (
            f"| Bookkeeping of one failed run, error sanitised | {took * 1e6:.1f} us | "
            f"<= 50 us: {'met' if took <= 50e-6 else 'MISSED'} |"
        ),
        (
            f"| `import shared.health` | {mine * 1000:.1f} ms, uvicorn {theirs * 1000:.1f} ms: "
            f"{ratio:.2f}x | <= 1.2x: {'met' if ratio <= 1.2 else 'MISSED'} |"
        ),
        "",
    ]
    text = "\n".join(lines)
    print(text)
    Path(__file__).with_name("RESULTS.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
