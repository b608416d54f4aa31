"""What core may hold: the standard library, no input or output, no telemetry, and few lines."""

import ast
import subprocess
import sys
from pathlib import Path

import shared.core

FILES = sorted(Path(shared.core.__file__).parent.glob("*.py"))
OUTSIDE = {"http", "io", "logging", "multiprocessing", "select", "shutil", "smtplib", "socket",
           "ssl", "subprocess", "tempfile", "urllib", "pathlib"}  # fmt: skip


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module)


def test_only_the_standard_library_and_nothing_that_reaches_outside():
    names = {name.partition(".")[0] for path in FILES for name in imported(path)}
    assert len(FILES) == 9
    assert names - set(sys.stdlib_module_names) == set()
    assert names & OUTSIDE == set()


def test_core_stays_small():
    lines = [line for path in FILES for line in path.read_text(encoding="utf-8").splitlines()]
    assert len([line for line in lines if line.strip()]) <= 900


def test_importing_core_costs_next_to_nothing():
    code = (
        "import sys, shared.core, shared.core.checks, shared.core.faces, shared.core.forks\n"
        "import shared.core.callables, shared.core.loops\n"
        "late = {'asyncio', 'inspect', 'ctypes', 'pickle', 'shared.core.redaction'}\n"
        "print(late & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-Ic", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
