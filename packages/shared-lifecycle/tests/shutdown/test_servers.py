"""Under uvicorn, gunicorn, a thread loop and an asyncio worker: real processes, real requests."""

from __future__ import annotations

import signal
import sys
import threading
import time

import pytest

from shared.lifecycle import GracefulShutdown

APP = """
import asyncio, contextlib
from shared.lifecycle import GracefulShutdown

shutdown = GracefulShutdown(drain_delay=1.2, hook_timeout=5, total_timeout=20)
ready = True

async def work(seconds):
    # It begins before the shutdown and ends well after it began.
    print("begun", flush=True)
    while not shutdown.requested:
        await asyncio.sleep(0.01)
    await asyncio.sleep(seconds)

@shutdown.on_drain
def not_ready():
    global ready
    ready = False

@shutdown.on_shutdown
async def close():
    await asyncio.sleep(0)
    print("closed", flush=True)

@shutdown.on_shutdown(priority=1)
def stop_first():
    print("stopped first", flush=True)
"""

STARLETTE = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def is_ready(request):
    return PlainTextResponse(str(ready), status_code=200 if ready else 503)

async def slow(request):
    await work(float(request.query_params["s"]))
    return PlainTextResponse("done")

app = Starlette(routes=[Route("/ready", is_ready), Route("/slow", slow)], lifespan=shutdown.lifespan)
"""

FASTAPI = """
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

@contextlib.asynccontextmanager
async def lifespan(app):
    async with shutdown.lifespan(app):
        yield

app = FastAPI(lifespan=lifespan)

@app.get("/ready")
async def is_ready():
    return PlainTextResponse(str(ready), status_code=200 if ready else 503)

@app.get("/slow")
async def slow(s: float):
    await work(s)
    return PlainTextResponse("done")
"""


UVICORN = ["-m", "uvicorn", "service:app", "--port=0", "--no-access-log"]
GUNICORN = [
    "-m",
    "gunicorn",
    "service:app",
    "--bind=127.0.0.1:0",
    "--worker-class=uvicorn_worker.UvicornWorker",
    "--workers=2",
    "--graceful-timeout=10",
]


@pytest.mark.parametrize(
    ("framework", "server"),
    [
        (STARLETTE, UVICORN),
        (FASTAPI, UVICORN),
        (STARLETTE, GUNICORN),
        (STARLETTE, [*UVICORN, "--workers=2"]),
    ],
    ids=["starlette-uvicorn", "fastapi-uvicorn", "gunicorn", "uvicorn-workers"],
)
def test_no_request_is_lost_under_a_server(run, fetch, tmp_path, framework, server, eventually):
    (tmp_path / "service.py").write_text(APP + framework)
    program = run(command=[sys.executable, *server])
    url = program.url()
    workers = 2 if "--workers=2" in server else 1
    eventually(
        f"{workers} workers started",
        lambda: "".join(program.errors).count("startup complete") == workers,
    )
    answers = []
    client = threading.Thread(target=lambda: answers.append(fetch(f"{url}/slow?s=1.6")))
    client.start()
    program.line("begun")
    told = program.signal(signal.SIGTERM)

    seen = []
    while -1 not in seen:
        seen.append(fetch(f"{url}/ready")[0])
        time.sleep(0.02)
    assert time.monotonic() - told >= 1.2, "the port stays open for the drain delay"
    assert set(seen) <= {200, 503, -1}
    assert seen[-2] == 503, "readiness fails before the server stops"
    assert program.end() == 0, program.errors
    client.join()
    assert answers == [(200, "done")]
    said = "".join(program.output)  # two workers may write into one line
    assert (said.count("closed"), said.count("stopped first")) == (workers, workers)
    assert said.startswith("begunstopped first")


def test_a_request_that_never_ends_holds_nobody_for_longer_than_the_total(run, fetch, tmp_path):
    service = APP.replace("total_timeout=20", "total_timeout=2.5") + STARLETTE
    (tmp_path / "service.py").write_text(service)
    program = run(command=[sys.executable, *UVICORN])
    url = program.url()
    client = threading.Thread(target=fetch, args=(f"{url}/slow?s=600",), daemon=True)
    client.start()
    program.line("begun")
    program.signal(signal.SIGTERM)
    program.end()
    assert program.output == ["begun", "stopped first", "closed"]
    assert any("cut off" in line for line in program.errors)


def test_in_an_asyncio_worker_without_http(run):
    program = run("""
        import asyncio
        from shared.lifecycle import GracefulShutdown
        shutdown = GracefulShutdown(drain_delay=0.1)
        shutdown.on_drain(lambda: print("draining"))

        async def worker():
            while not await shutdown.asleep(0.01):
                async with shutdown.track():
                    print("job")
                    await asyncio.sleep(0.5)
                    print("job done")

        async def main():
            loop = asyncio.get_running_loop()
            @shutdown.on_shutdown
            async def close():
                print("same loop", asyncio.get_running_loop() is loop)
            task = asyncio.create_task(worker())
            report = await shutdown.wait()
            await task
            print("report", report.reason, report.clean)

        asyncio.run(main())
        """)
    program.line("job")
    program.signal(signal.SIGTERM)
    assert program.end() == 0, program.errors
    assert program.output[-5:] == [
        "job",
        "draining",
        "job done",
        "same loop True",
        "report SIGTERM True",
    ]


def test_beside_a_server_in_the_same_loop(run, fetch):
    program = run("""
        import asyncio, socket, uvicorn
        from shared.lifecycle import GracefulShutdown
        shutdown = GracefulShutdown(drain_delay=0.6)
        shutdown.on_shutdown(lambda: print("closed"))

        async def app(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"up"})

        async def main():
            sock = socket.create_server(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
            serving = asyncio.create_task(server.serve(sockets=[sock]))
            while not server.started:
                await asyncio.sleep(0.01)
            shutdown.install()
            print(sock.getsockname()[1])
            report = await shutdown.wait()
            await serving
            print("report", report.clean)

        asyncio.run(main())
        """)
    port = program.line("")[1]
    program.signal(signal.SIGTERM)
    assert fetch(f"http://127.0.0.1:{port}/") == (200, "up")
    assert program.end() == 0, program.errors
    assert program.output[1:] == ["closed", "report True"]


def test_in_a_plain_loop_of_the_main_thread(run):
    program = run("""
        import time
        from shared.lifecycle import GracefulShutdown
        shutdown = GracefulShutdown(drain_delay=0.1)
        shutdown.install()
        shutdown.on_shutdown(lambda: print("closed"))
        while not shutdown.sleep(0.01):
            with shutdown.track():
                print("job")
                time.sleep(0.5)
                print("job done")
        print("report", shutdown.wait_for_signal().clean)
        """)
    program.line("job")
    program.signal(signal.SIGTERM)
    assert program.end() == 0, program.errors
    assert program.output[-3:] == ["job done", "closed", "report True"]


def test_a_blocked_main_thread_holds_up_neither_drain_nor_second_signal(run):
    program = run("""
        import asyncio, time
        from shared.lifecycle import GracefulShutdown
        shutdown = GracefulShutdown(drain_delay=0, total_timeout=30)
        shutdown.on_drain(lambda: print("draining"))
        async def main():
            asyncio.get_running_loop().call_later(0.05, lambda: (print("stuck"), time.sleep(60)))
            await shutdown.wait()
        asyncio.run(main())
        """)
    program.line("stuck")
    program.signal(signal.SIGTERM)
    program.line("draining")
    time.sleep(0.1)  # two signals at the same moment are one
    program.signal(signal.SIGTERM)
    assert program.end() == 128 + signal.SIGTERM


def test_the_handlers_that_were_there_come_back():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    shutdown = GracefulShutdown(drain_delay=0)
    shutdown.trigger()
    assert shutdown.wait_for_signal().clean
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
