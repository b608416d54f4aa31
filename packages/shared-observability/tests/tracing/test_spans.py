"""Spans over real HTTP to our own collector, and between two processes."""

import asyncio
import gc
import gzip
import json
import logging
import subprocess
import sys
import textwrap
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry import trace
from opentelemetry.context import get_current
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from shared.observability import (
    TracingConfig,
    capture_logs,
    extract,
    get_logger,
    setup_tracing,
    trace_span,
)


class Collector:
    """An OTLP/HTTP collector: decodes the protobuf that arrives over a real socket."""

    def __init__(self, status=200):
        self.spans, self.headers, self.resources = [], [], []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.headers.append(
                    (self.path, {k.lower(): v for k, v in self.headers.items()})
                )
                if status == 200:
                    request = ExportTraceServiceRequest.FromString(body)
                    for part in request.resource_spans:
                        collector.resources.append(attributes(part.resource))
                        for scope in part.scope_spans:
                            collector.spans.extend(scope.spans)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def named(self, name):
        return next(span for span in self.spans if span.name == name)


def attributes(owner):
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in owner.attributes}


@pytest.fixture
def collector():
    made = Collector()
    yield made
    made.stop()


@pytest.fixture
def tracer(collector):
    made = setup_tracing(
        TracingConfig("shop", "otlp", otlp_endpoint=collector.url, headers={"x-key": "k"})
    )
    yield made
    made.shutdown(5)


async def test_spans_reach_the_collector(collector, tracer):
    log = get_logger("x")

    @trace_span("plain", kind="sync", password="hunter2", n=3, many=[1, 2], odd={"a": 1})
    def plain():
        log.info("plain")
        raise ValueError("token=hunter2")

    @trace_span("coroutine")
    async def coroutine():
        await asyncio.sleep(0)
        log.info("coroutine")
        return 1

    with capture_logs() as logs, trace_span("outer") as outer:
        log.info("outer")
        with pytest.raises(ValueError, match="token"):
            plain()
        assert [*await asyncio.gather(coroutine(), coroutine())] == [1, 1]
        assert outer is not None
        assert outer.get_span_context().is_valid
    assert tracer.shutdown(5) is True
    assert tracer.shutdown(5) is True
    path, headers = collector.headers[0]
    assert (path, headers["content-type"], headers["x-key"]) == (
        "/v1/traces",
        "application/x-protobuf",
        "k",
    )
    assert collector.resources[0]["service.name"] == "shop"
    top, inner = collector.named("outer"), collector.named("plain")
    assert inner.parent_span_id == top.span_id
    assert {line["trace_id"] for line in logs} == {top.trace_id.hex()}
    assert logs[0]["span_id"] == top.span_id.hex()
    assert logs[1]["span_id"] == inner.span_id.hex()
    found = attributes(inner)
    assert (found["kind"], found["password"], found["n"]) == ("sync", "[REDACTED]", 3)
    assert inner.status.code == 2
    assert attributes(inner.events[0])["exception.type"] == "ValueError"
    assert all(b"hunter2" not in span.SerializeToString() for span in collector.spans)
    assert sum(span.name == "coroutine" for span in collector.spans) == 2
    assert top.status.code == 0


async def test_generators(collector, tracer, caplog):
    caplog.set_level(logging.DEBUG)
    log = get_logger("x")

    @trace_span("numbers")
    def numbers():
        try:
            while True:
                log.info("inside")
                try:
                    yield trace.get_current_span().get_span_context().span_id
                except KeyError:
                    log.info("caught")
        finally:
            log.info("closing")

    @trace_span("anumbers")
    async def anumbers():
        log.info("inside")
        yield 1
        yield 2

    with capture_logs() as logs:
        one, two = numbers(), numbers()
        first, second = next(one), next(two)
        assert first != second
        assert next(one) == first
        log.info("outside")
        one.throw(KeyError())
        one.close()
        del two
        gc.collect()
        async for _ in anumbers():
            log.info("outside")
        unfinished = anumbers()
        await anext(unfinished)
        await asyncio.create_task(unfinished.aclose())
        left = numbers()
        await asyncio.to_thread(next, left)
        await asyncio.to_thread(left.close)
    assert trace.get_current_span() is trace.INVALID_SPAN
    ours = [line for line in logs if line["logger"] == "x"]  # other tests' exporters log too
    assert len(ours) == 14
    for line in ours:
        assert ("span_id" in line) == (line["message"] != "outside")
    assert tracer.shutdown(5)
    names = [span.name for span in collector.spans]
    assert (names.count("numbers"), names.count("anumbers")) == (3, 2)
    assert all(span.status.code == 0 for span in collector.spans)
    assert "detach" not in caplog.text


async def test_a_block_in_a_generator_closed_elsewhere(tracer, caplog):
    async def rows():
        with trace_span("rows"):
            yield 1
            yield 2

    generator = rows()
    await anext(generator)
    await asyncio.create_task(generator.aclose())
    sync = _block()
    next(sync)
    thread = threading.Thread(target=sync.close)
    thread.start()
    thread.join()
    assert "detach" not in caplog.text.lower()


def _block():
    with trace_span("block"):
        yield 1


def test_two_processes_share_a_trace(collector):
    """A client and a server of their own: W3C headers through a real HTTP call."""
    server = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(f"""
            import sys
            from http.server import BaseHTTPRequestHandler, HTTPServer
            from shared.observability import *
            configure_logging(output="stderr")
            tracer = setup_tracing(service_name="server", otlp_endpoint={collector.url!r})
            class Handler(BaseHTTPRequestHandler):
                def do_GET(self):
                    with extract(dict(self.headers)), trace_span("serve"):
                        get_logger("server").info("served")
                    self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
                def log_message(self, *args): pass
            with HTTPServer(("127.0.0.1", 0), Handler) as httpd:
                print(httpd.server_port, flush=True)
                httpd.handle_request()
            assert tracer.shutdown(5)
            """)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    port = int(server.stdout.readline())
    client = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(f"""
            import urllib.request
            from shared.observability import *
            configure_logging()
            tracer = setup_tracing(service_name="client", otlp_endpoint={collector.url!r})
            with correlation("order-7"), trace_span("call"):
                get_logger("client").info("calling")
                request = urllib.request.Request("http://127.0.0.1:{port}/", headers=inject({{}}))
                urllib.request.urlopen(request, timeout=10).close()
            assert tracer.shutdown(5)
            """)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    _, errors = server.communicate(timeout=30)
    assert server.returncode == 0, errors
    called, served = json.loads(client.stdout), json.loads(errors)
    call, serve = collector.named("call"), collector.named("serve")
    assert called["trace_id"] == served["trace_id"] == call.trace_id.hex() == serve.trace_id.hex()
    assert serve.parent_span_id == call.span_id
    assert (called["span_id"], served["span_id"]) == (call.span_id.hex(), serve.span_id.hex())
    assert called["correlation_id"] == served["correlation_id"] == "order-7"
    assert {r["service.name"] for r in collector.resources} == {"client", "server"}


def test_sampling(collector):
    tracer = setup_tracing(service_name="x", otlp_endpoint=collector.url, sample_ratio=0)
    headers = {"traceparent": f"00-{7:032x}-{8:016x}-01"}
    with trace_span("unseen"), extract(headers), trace_span("seen"):
        pass
    assert tracer.shutdown(5)
    assert [span.name for span in collector.spans] == ["seen"]
    assert collector.spans[0].trace_id.hex() == f"{7:032x}"


def test_without_a_provider_nothing_happens():
    before = get_current()

    @trace_span("x", a=1)
    def fn():
        return get_current()

    with trace_span("y") as span:
        assert span is None
        assert fn() == before


def test_the_applications_own_provider_is_used():
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent("""
            from opentelemetry import trace
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import SimpleSpanProcessor
            from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
            from shared.observability import trace_span
            with trace_span("before"): pass
            exporter, provider = InMemorySpanExporter(), TracerProvider()
            provider.add_span_processor(SimpleSpanProcessor(exporter))
            trace.set_tracer_provider(provider)
            with trace_span("block"): pass
            trace_span("function")(int)()
            print([span.name for span in exporter.get_finished_spans()])
            """)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert found.stdout == "['block', 'function']\n"


async def test_async_with():
    tracer = setup_tracing(service_name="x", exporter_type="none")
    async with trace_span("outer") as outer:
        assert trace.get_current_span() is outer
        async with trace_span("inner") as inner:
            assert trace.get_current_span() is inner
        assert trace.get_current_span() is outer
    assert outer is not None
    assert not outer.is_recording()
    tracer.shutdown(1)
    async with trace_span("nothing") as none:
        assert none is None
