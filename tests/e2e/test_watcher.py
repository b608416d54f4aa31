"""The reference service as a user runs it: a process, its last line, its exit status."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
MARK = uuid.uuid4().hex


def command(*arguments):
    return [sys.executable, "-m", "examples.watcher", *map(str, arguments)]


def run(tmp_path, *arguments, timeout=110):
    plot = tmp_path / "watcher.png"
    return subprocess.run(
        command("--plot", plot, *arguments),
        cwd=ROOT,
        env=os.environ | {"WATCHER_TEST": MARK},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.fixture
def start(tmp_path):
    """Start the service in the background; whatever it left behind fails the test."""
    started = []

    def begin(*arguments):
        process = subprocess.Popen(
            command("--plot", tmp_path / "watcher.png", *arguments),
            cwd=ROOT,
            env=os.environ | {"WATCHER_TEST": MARK},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def urls(process):
    """Read the service's own words until it says where it serves."""
    found = {}
    for line in process.stdout:
        name, _, url = line.strip().partition(" ")
        if "://" in url:
            found[name] = url.strip()
        if line.startswith("Watching"):
            return found
    raise AssertionError(process.stderr.read())


def get(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


def children(process):
    return psutil.Process(process.pid).children(recursive=True)


def gone(processes, within=5.0):
    _, alive = psutil.wait_procs(processes, timeout=within)
    return not alive


def last_line(text):
    return json.loads(text.strip().splitlines()[-1])


def check(result):
    assert result["lost"] == 0
    assert result["mismatches"] == []
    assert result["produced"] == result["stored"]
    for store in ("clickhouse", "postgres", "redis"):
        assert result["stores"][store] == result["produced"]


def test_the_demo_does_everything_it_promises(tmp_path):
    done = run(tmp_path, "--duration", 8)
    assert done.returncode == 0, done.stdout + done.stderr
    result = last_line(done.stdout)
    check(result)
    for figure in ("windows", "anomalies", "incidents", "similar", "signals", "retries"):
        assert result[figure] > 0, figure
    assert result["breaker_opened"] >= 1
    assert result["breaker_closed"] >= 1
    assert result["stores"]["qdrant"] == result["incidents"]
    assert (tmp_path / "watcher.png").read_bytes().startswith(b"\x89PNG")
    records = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert {"started", "incident", "resilience.breaker.opened"} <= {
        record["message"] for record in records
    }
    assert "Traceback" not in done.stderr


def test_json_prints_nothing_but_the_last_line_and_a_file_is_watched_too(tmp_path):
    rows = "".join(f"{1_700_000_000 + i},{100 + i % 7}\n" for i in range(120_000))
    file = tmp_path / "mine.csv"
    file.write_text("when,load\n" + rows + "never,1\n1700999999,many\n")
    done = run(
        tmp_path, "--duration", 2, "--json", "--csv", file, "--time", "when", "--value", "load"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1
    result = last_line(done.stdout)
    check(result)
    assert result["produced"] > 120_000
    assert result["bad_rows"] == 2
    assert result["bad_rows_first"][0].startswith("line 120002: when 'never'")


def test_a_signal_drains_and_nothing_is_lost(start):
    process = start("--serve")
    served = urls(process)
    family = children(process)
    assert len(family) >= 4
    time.sleep(1.0)
    assert "watcher_points_acknowledged_total" in get(served["metrics"])
    assert get(served["live"])
    assert get(served["ready"])
    assert "<html" in page(served["status"])
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    result = last_line(out)
    check(result)
    assert result["produced"] > 0
    assert gone(family)


@pytest.mark.parametrize("after", ["Starting", "  redis"])
def test_a_signal_while_it_starts_ends_it_cleanly_too(start, after):
    process = start("--serve")
    for line in process.stdout:
        if line.startswith(after):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    result = last_line(out)
    check(result)
    assert result["produced"] == 0
    assert marked() == []


def page(url):
    request = urllib.request.Request(url, headers={"Accept": "text/html"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.read().decode()


def acknowledged(url):
    for line in get(url).splitlines():
        if line.startswith("watcher_points_acknowledged_total "):
            return float(line.split()[1])
    return 0.0


def test_killed_in_the_middle_leaves_no_process_and_loses_no_acknowledged_point(start, tmp_path):
    data = tmp_path / "data"
    process = start("--serve", "--data", data)
    served = urls(process)
    deadline = time.monotonic() + 30
    while (count := acknowledged(served["metrics"])) < 5_000 and time.monotonic() < deadline:
        time.sleep(0.05)
    family = children(process)
    process.kill()
    process.wait()
    assert gone(family)
    again = run(tmp_path, "--duration", 2, "--json", "--data", data)
    assert again.returncode == 0, again.stdout + again.stderr
    result = last_line(again.stdout)
    check(result)
    assert result["recovered"] >= count >= 5_000


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--duration", "-1"], "'-1' is not a number of seconds"),
        (["--nonsense"], "--nonsense"),
        (["--port", "70000"], "'70000' is not a port"),
        (["--csv", "no.csv", "--time", "t", "--value", "v"], "no.csv: No such file"),
        (["--csv", "no.csv"], "--csv needs --time COLUMN and --value COLUMN"),
        (["--real", "--data", "x"], "--data is for the embedded stores"),
    ],
)
def test_wrong_arguments_are_one_clear_sentence(tmp_path, arguments, says):
    refused(run(tmp_path, *arguments), says)


def test_a_busy_port_is_one_clear_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused(run(tmp_path, "--port", port, "--duration", 2), f"127.0.0.1:{port}")


def test_an_unreachable_server_is_one_clear_sentence(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for name in ("POSTGRES", "REDIS", "CLICKHOUSE", "QDRANT"):
        monkeypatch.setenv(f"{name}_PORT", str(port))
        monkeypatch.setenv(f"{name}_HOST", "127.0.0.1")
    refused(run(tmp_path, "--real", "--duration", 2), "postgres")


def refused(done, says):
    assert done.returncode == 2, done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert says in done.stderr
    assert marked() == []


def marked():
    """Return the processes that a service of this test started and left."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("WATCHER_TEST") == MARK and process.pid != os.getpid():
                found.append(process)
        except psutil.Error:
            continue
    return found
