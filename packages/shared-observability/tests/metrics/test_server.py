"""The server: authentication, TLS, failures, prompt stops."""

import base64
import gc
import gzip
import socket
import ssl
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import trustme

from shared.observability import (
    MetricsServer,
    counter,
)


def get(url, headers=None, context=None):
    request = urllib.request.Request(url, headers=headers or {})
    with urllib.request.urlopen(request, timeout=10, context=context) as answer:
        return answer.status, answer.headers, answer.read()


def refused(url, status, headers=None, context=None):
    """Return the body of an answer that is an error."""
    with pytest.raises(urllib.error.HTTPError, match=status) as caught:
        get(url, headers, context)
    with caught.value as answer:
        return answer.read()


def test_the_server_serves(registry):
    counter("hits_total", registry=registry).inc()
    with MetricsServer(0, "127.0.0.1", registry=registry) as server:
        status, headers, body = get(server.url)
    assert status == 200
    assert b"hits_total 1.0" in body
    assert headers["Content-Type"].startswith("text/plain")


def test_compression_and_openmetrics_by_request(registry):
    wanted = {"Accept-Encoding": "gzip", "Accept": "application/openmetrics-text"}
    with MetricsServer(0, "127.0.0.1", registry=registry) as server:
        _, headers, body = get(server.url, wanted)
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert gzip.decompress(body) == b"# EOF\n"


@pytest.mark.parametrize(("path", "status"), [("", 200), ("/", 200), ("/metrics/", 200)])
def test_the_metrics_are_at_two_paths(registry, path, status):
    with MetricsServer(0, "127.0.0.1", registry=registry) as server:
        root = server.url.removesuffix("/metrics")
        assert get(root + path)[0] == status
        assert b"the metrics are at /metrics" in refused(server.url + "x", "404")


def test_a_stopped_server_frees_its_port(registry):
    server = MetricsServer(0, "127.0.0.1", registry=registry).start_in_background()
    assert server.start_in_background() is server
    port = server.port
    assert port > 0
    server.stop()
    server.stop()
    with MetricsServer(port, "127.0.0.1", registry=registry) as again:
        assert get(again.url)[0] == 200


def test_a_taken_port_names_host_and_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1:{port}"):
            MetricsServer(port, "127.0.0.1").start_in_background()
    with pytest.raises(OSError, match=r"no\.such\.host"):
        MetricsServer(0, "no.such.host.invalid").start_in_background()


@pytest.mark.parametrize(
    ("port", "kind"), [(-1, ValueError), (65536, ValueError), ("80", TypeError), (True, TypeError)]
)
def test_a_bad_port_is_named(port, kind):
    with pytest.raises(kind, match="port must be a whole number from 0 to 65535"):
        MetricsServer(port)


def test_a_hundred_cycles_leak_nothing(until):
    def count():
        gc.collect()
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    for n in range(100):
        server = MetricsServer(0, "127.0.0.1").start_in_background()
        if n % 10 == 0:
            get(server.url)
        if n % 10 == 5:
            silent = socket.create_connection(("127.0.0.1", server.port))
            server.stop()
            silent.close()
        server.stop()
    until("threads and descriptors as before", lambda: count() == before)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    server = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    server.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    server.private_key_pem.write_to_path(folder / "key.pem")
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture(scope="module")
def trust(certificate):
    return ssl.create_default_context(cafile=certificate[0].with_name("ca.pem"))


BASIC = {"Authorization": "Basic " + base64.b64encode(b"ada:p:w").decode()}


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Basic eA=="}, {"Authorization": "Basic \xff"}]
)
def test_basic_authentication(headers):
    with MetricsServer(0, "127.0.0.1", auth=("ada", "p:w")) as server:
        assert get(server.url, BASIC)[0] == 200
        assert refused(server.url, "401", headers) == b"authentication needed\n"


def test_tls(certificate, trust):
    with MetricsServer(0, "127.0.0.1", tls=certificate, auth=("ada", "p:w")) as server:
        assert server.url.startswith("https://")
        assert get(server.url, BASIC, trust)[0] == 200
        with pytest.raises(urllib.error.URLError, match="certificate"):
            get(server.url, BASIC, ssl.create_default_context())


def test_a_client_that_does_not_speak_tls_stops_no_other(certificate, trust):
    with MetricsServer(0, "127.0.0.1", tls=certificate) as server:
        silent = socket.create_connection(("127.0.0.1", server.port))
        with socket.create_connection(("127.0.0.1", server.port)) as rude:
            rude.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert get(server.url, {}, trust)[0] == 200
        silent.close()


@pytest.mark.parametrize("kind", ["plain", "tls without a handshake", "tls"])
def test_stop_ends_a_silent_client(certificate, trust, until, kind):
    server = MetricsServer(0, "127.0.0.1", tls=None if kind == "plain" else certificate)
    server.start_in_background()
    client = socket.create_connection(("127.0.0.1", server.port))
    if kind == "tls":
        client = trust.wrap_socket(client, server_hostname="127.0.0.1")

    def workers():
        return [thread for thread in threading.enumerate() if thread.name == "metrics-request"]

    until("the client's thread", workers)
    server.stop()
    assert workers() == []
    client.close()


@pytest.mark.parametrize("bad", [{"tls": "cert.pem"}, {"auth": ("ada", "")}, {"auth": "ada"}])
def test_incomplete_arguments_are_named(bad):
    with pytest.raises(ValueError, match=f"{next(iter(bad))} must be") as caught:
        MetricsServer(0, **bad)
    assert "ada" not in str(caught.value)


def test_a_failing_collector_is_a_500(registry):
    class Broken:
        def collect(self):
            raise RuntimeError("secret detail")

    registry._collector_to_names[Broken()] = []
    with MetricsServer(0, "127.0.0.1", registry=registry) as server:
        assert refused(server.url, "500") == b"a collector failed: RuntimeError\n"
