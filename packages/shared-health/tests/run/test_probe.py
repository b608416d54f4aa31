"""The probe on the command line."""

from __future__ import annotations

import json
import subprocess
import sys

from shared.health import Health, HealthServer, Heartbeat


def probe(*arguments):
    command = [sys.executable, "-m", "shared.health", "probe", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_url_is_probed():
    health = Health()
    with HealthServer(health, port=0, host="127.0.0.1") as server:
        assert probe(f"{server.url}/health/ready") == (
            0,
            f'{server.url}/health/ready: 200 {{"status": "pass"}}\n',
        )
        health.start_draining()
        assert probe(f"{server.url}/health/ready")[0] == 1
    code, said = probe(f"{server.url}/health/ready")
    assert (code, "refused" in said) == (1, True)
    assert probe()[0] == 2


def test_a_heartbeats_file_is_probed(tmp_path):
    file = tmp_path / "beat"
    assert probe("--file", str(file))[0] == 1
    heart = Heartbeat(30, file=str(file))
    heart.beat()
    assert probe("--file", str(file))[0] == 0
    assert list(tmp_path.iterdir()) == [file]
    assert probe("--file", str(file), "--max-age", "0.000001")[0] == 1
    beat = json.loads(file.read_text())
    file.write_text(json.dumps({**beat, "boot": "another"}))
    assert probe("--file", str(file))[0] == 1
    file.write_text("garbage")
    assert probe("--file", str(file)) == (1, f"{file}: not the file of a Heartbeat\n")
