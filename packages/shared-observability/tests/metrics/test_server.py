"""The server: authentication, TLS, failures, prompt stops."""

import base64
import gc
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


def test_the_server_serves(registry):
    counter("hits_total", registry=registry).inc()
    with MetricsServer(0, "127.0.0.1", registry=registry) as server:
        status, headers, body = get(server.url)
        assert status == 200
        assert b"hits_total 1.0" in body
        assert headers["Content-Type"].startswith("text/plain")
        _, headers, body = get(
            server.url, {"Accept-Encoding": "gzip", "Accept": "application/openmetrics-text"}
        )
        assert headers["Content-Encoding"] == "gzip"
        with pytest.raises(urllib.error.HTTPError, match="404") as caught:
            get(server.url + "x")
        caught.value.close()
        assert server.start_in_background() is server
        port = server.port
    assert port > 0
    server.stop()
    again = MetricsServer(port, "127.0.0.1", registry=registry).start_in_background()
    assert get(again.url)[0] == 200
    again.stop()


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


def test_tls_and_basic_auth(certificate):
    trust = ssl.create_default_context(cafile=certificate[0].with_name("ca.pem"))
    basic = {"Authorization": "Basic " + base64.b64encode(b"ada:p:w").decode()}
    with MetricsServer(0, "127.0.0.1", tls=certificate, auth=("ada", "p:w")) as server:
        assert server.url.startswith("https://")
        assert get(server.url, basic, trust)[0] == 200
        for headers in ({}, {"Authorization": "Basic eA=="}, {"Authorization": "Basic \xff"}):
            with pytest.raises(urllib.error.HTTPError, match="401") as caught:
                get(server.url, headers, trust)
            caught.value.close()
        with pytest.raises(urllib.error.URLError, match="certificate"):
            get(server.url, basic, ssl.create_default_context())
        # A client that does not speak TLS, or says nothing, stops nobody else.
        silent = socket.create_connection(("127.0.0.1", server.port))
        with socket.create_connection(("127.0.0.1", server.port)) as rude:
            rude.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert get(server.url, basic, trust)[0] == 200
        silent.close()
    for bad in ({"tls": "cert.pem"}, {"auth": ("ada", "")}, {"auth": "ada"}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            MetricsServer(0, **bad)


def test_a_failing_collector_is_a_500(registry):
    class Broken:
        def collect(self):
            raise RuntimeError("secret detail")

    registry._collector_to_names[Broken()] = []
    with MetricsServer(0, "127.0.0.1", registry=registry) as server:
        with pytest.raises(urllib.error.HTTPError, match="500") as caught:
            get(server.url)
        assert b"secret detail" not in caught.value.read()
        caught.value.close()
