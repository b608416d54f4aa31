"""The scripts start on plain Python: they enter their environment themselves."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
IN_PYTHON = [
    path
    for path in sorted(SCRIPTS.iterdir())
    if path.is_file() and path.read_text(encoding="utf-8").startswith("#!/usr/bin/env python3")
]


@pytest.mark.parametrize("script", IN_PYTHON, ids=lambda path: path.name)
def test_a_script_needs_nothing_before_it_is_in_its_environment(script):
    code = (
        f"import runpy, sys; sys.path.insert(0, {str(SCRIPTS)!r}); runpy.run_path({str(script)!r})"
    )
    command = [sys.executable, "-I", "-S", "-c", code]  # no site-packages
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_scripts_are_executable():
    assert len(IN_PYTHON) > 8
    assert [path.name for path in IN_PYTHON if not path.stat().st_mode & 0o100] == []
