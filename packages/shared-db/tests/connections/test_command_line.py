"""`python -m shared.db up` and `ping`."""

import os
import signal
import subprocess
import sys

from shared.config import load_settings
from shared.db import (
    DatabaseConnections,
)


def run(*arguments, **env):
    command = [sys.executable, "-m", "shared.db", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **env}, check=False
    )


def test_up_gives_four_stores_and_ping_sees_them(tmp_path, until):
    env_file = tmp_path / "env"
    command = [sys.executable, "-m", "shared.db", "up", "--env-file", env_file]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        variables = {}
        while len(variables) < 16:
            line = process.stdout.readline()
            assert line.startswith("export "), process.stderr.read()
            name, _, value = line.removeprefix("export ").strip().partition("=")
            variables[name] = value
        assert {
            "POSTGRES_HOST",
            "CLICKHOUSE_PORT",
            "QDRANT_HOST",
            "REDIS_PASSWORD",
        } <= variables.keys()
        done = run("ping", "--timeout", "20", **variables)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count(" ok ") == 4
        until("the file of variables", env_file.exists)
        with DatabaseConnections.from_settings(load_settings(env=variables, dotenv=None)) as db:
            assert all(
                db.initialize_all_databases(required=variables and {"postgres", "redis"}).values()
            )
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        done = run("ping", "--timeout", "0.3", "redis", **variables)
        assert done.returncode == 1
        assert "silent" in done.stdout
        assert variables["REDIS_PASSWORD"] not in done.stdout + done.stderr
    finally:
        process.kill()
        process.communicate()
    assert run("up", "mysql").returncode == 2
