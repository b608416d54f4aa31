"""Rotation by size and period, by several processes."""

import json
import os
import subprocess
import sys
import textwrap
import time

import pytest

from shared.observability import (
    configure_logging,
    get_logger,
)


def python(code, **options):
    """Run a program of its own; returns stdout, one dict a line."""
    result = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", textwrap.dedent(code)],
        capture_output=True, text=True, timeout=60, check=False, **options,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


ROTATE = """
    import sys
    from shared.observability import *
    configure_logging(output=sys.argv[1], rotate=sys.argv[2], keep=1000)
    log = get_logger("x")
    for n in range(int(sys.argv[4])):
        log.info("a line of some length", process=int(sys.argv[3]), n=n)
    sys.exit(stats().dropped)
    """


def rotated(path):
    """All lines of all files."""
    lines = []
    for file in path.parent.glob(path.name + "*"):
        text = file.read_text()
        assert text.endswith("\n")
        lines += [json.loads(line) for line in text.splitlines()]
    return lines


def test_rotation_by_four_processes_loses_no_line(tmp_path):
    path = tmp_path / "app.log"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(ROTATE), str(path), "20 KB", str(p), "500"]
        )
        for p in range(4)
    ]
    assert [process.wait(60) for process in processes] == [0] * 4
    found = sorted((line["process"], line["n"]) for line in rotated(path))
    assert found == [(p, n) for p in range(4) for n in range(500)]
    files = list(tmp_path.iterdir())
    assert len(files) > 10
    assert all(file.stat().st_size <= 20_000 for file in files)


def test_rotation_across_a_fork(tmp_path):
    path = tmp_path / "app.log"
    python(f"""
        import os, warnings
        from shared.observability import *
        warnings.simplefilter("ignore")
        configure_logging(output={str(path)!r}, rotate="5 KB", keep=1000)
        get_logger("x").info("m", n=-1, p=0)
        pids = []
        for p in range(3):
            pid = os.fork()
            if pid == 0:
                for n in range(200): get_logger("x").info("m", n=n, p=p)
                os._exit(stats().dropped)
            pids.append(pid)
        for n in range(200): get_logger("x").info("m", n=n, p=3)
        assert all(os.waitpid(pid, 0)[1] == 0 for pid in pids)
        """)
    assert len(rotated(path)) == 801


def test_rotation_by_period_and_keep(tmp_path):
    path = tmp_path / "app.log"
    configure_logging(output=path, rotate="1 day", keep=2)
    log = get_logger("x")
    for day in range(5, 0, -1):
        log.info("m", day=day)
        then = time.time() - day * 86_400
        os.utime(path, (then, then))
    log.info("m", day=0)
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["app.log", "app.log.1", "app.log.2"]
    assert [line["day"] for line in map(json.loads, path.read_text().splitlines())] == [0]
    assert json.loads((tmp_path / "app.log.2").read_text())["day"] == 2


@pytest.mark.parametrize("rotate", ["", "fast", "0 MB", "-1 day", "10", 5, "1 parsec"])
def test_a_bad_rotation_is_named(tmp_path, rotate):
    kind = ValueError if isinstance(rotate, str) else TypeError
    with pytest.raises(kind, match="rotate must be a size or a period"):
        configure_logging(output=tmp_path / "x.log", rotate=rotate)
