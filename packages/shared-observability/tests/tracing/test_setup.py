"""Setting up and shutting down, with silent and refusing collectors."""

import gzip
import socket
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from shared.observability import (
    TracingConfig,
    capture_logs,
    get_logger,
    setup_tracing,
    trace_span,
)
from shared.observability._tracing import tracing


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


def test_a_silent_collector_does_not_delay_shutdown():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        tracer = setup_tracing(service_name="x", otlp_endpoint=url)
        with trace_span("lost"):
            pass
        start = time.monotonic()
        assert tracer.shutdown(0.5) is False
        assert time.monotonic() - start < 5  # a hang would take 10 s or more


def test_a_program_ends_in_spite_of_a_silent_collector():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(f"""
                from shared.observability import *
                setup_tracing(service_name="x", otlp_endpoint="http://127.0.0.1:{silent.getsockname()[1]}")
                with trace_span("lost"): pass
                """)],
            check=True, timeout=20,
        )  # fmt: skip


def test_a_refusing_collector_is_a_loss():
    collector = Collector(status=400)
    tracer = setup_tracing(service_name="x", otlp_endpoint=collector.url)
    with trace_span("lost"):
        pass
    assert tracer.shutdown(5) is False
    collector.stop()


def test_setting_up_again_replaces(collector):
    first = setup_tracing(service_name="first", otlp_endpoint=collector.url)
    foreign = trace.get_tracer("a library")
    with trace_span("one"), foreign.start_as_current_span("library one"):
        pass
    second = setup_tracing(service_name="second", otlp_endpoint=collector.url)
    assert not first.recording
    with trace_span("two"), foreign.start_as_current_span("library two"):
        pass
    assert second.shutdown(5)
    assert {span.name for span in collector.spans} == {"one", "two", "library one", "library two"}
    assert {r["service.name"] for r in collector.resources} == {"first", "second"}
    with trace_span("after"), foreign.start_as_current_span("library after"):
        pass


def test_without_the_sdk_one_warning():
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent("""
            import sys, warnings
            for name in ("opentelemetry.sdk", "opentelemetry.exporter"): sys.modules[name] = None
            from shared.observability import *
            with warnings.catch_warnings(record=True) as seen:
                warnings.simplefilter("always")
                tracers = [setup_tracing(service_name="x") for _ in range(3)]
            assert [str(w.message).split(";")[1] for w in seen] == [" install shared-observability[otlp]"], seen
            with trace_span("x", a=1): pass
            @trace_span("y")
            def y(): return 3
            assert y() == 3 and tracers[0].shutdown(1) is True
            print(inject({}))
            """)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (result.stdout, result.stderr) == ("{}\n", "")


def test_console_and_none(capsys):
    tracer = setup_tracing(service_name="x", exporter_type="console")
    with trace_span("shown"):
        pass
    assert tracer.shutdown(5)
    assert '"name": "shown"' in capsys.readouterr().out
    tracer = setup_tracing(service_name="x", exporter_type="none")
    with capture_logs() as logs, trace_span("ids only"):
        get_logger("x").info("m")
    assert "trace_id" in logs[0]
    assert tracer.shutdown(5)


@pytest.mark.parametrize(
    "bad",
    [{"service_name": ""}, {"exporter_type": "zipkin"}, {"otlp_endpoint": "collector:4317"},
     {"sample_ratio": 2}],
)  # fmt: skip
def test_bad_settings_are_named(bad):
    with pytest.raises(ValueError, match=f"{next(iter(bad))} must be"):
        setup_tracing(**bad)


def test_settings_of_another_kind_are_refused():
    with pytest.raises(TypeError, match="sample_ratio must be"):
        setup_tracing(sample_ratio=True)
    with pytest.raises(TypeError, match="unexpected"):
        setup_tracing(colour="red")
    with pytest.raises(TypeError, match="either"):
        setup_tracing(TracingConfig(), service_name="x")


def test_no_warning_twice():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tracer = tracing.setup_tracing(service_name="x", exporter_type="none")
        assert tracer.flush(1)
        assert tracer.shutdown(1)


def test_a_configuration_shows_no_secret():
    config = TracingConfig(
        "shop", otlp_endpoint="http://user:hunter2@collector:4318", headers={"x-api-key": "hunter2"}
    )
    assert repr(config) == (
        "TracingConfig(service_name='shop', exporter_type='otlp',"
        " otlp_endpoint='http://user:[REDACTED]@collector:4318', sample_ratio=1.0)"
    )
