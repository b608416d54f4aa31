"""Every Python block in a README or a guide runs, as a reader would run it: top to bottom."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for pattern in ("*.md", "packages/*/README.md", "docs/**/*.md", "examples/*/README.md")
    for page in ROOT.glob(pattern)
)
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> str:
    """Return the page's Python blocks as one program with the page's own line numbers."""
    text = page.read_text(encoding="utf-8")
    program, line = "", 1
    for block in BLOCK.finditer(text):
        start = text.count("\n", 0, block.start(1)) + 1
        program += "\n" * (start - line) + block[1]
        line = start + block[1].count("\n")
    return program


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_blocks_run(page, tmp_path):
    program = blocks(page)
    if not program:
        return
    script = tmp_path / "page.py"
    script.write_text(program, encoding="utf-8")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("POSTGRES", "REDIS", "COV"))}
    result = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=clean | {"MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert result.returncode == 0, f"{page.relative_to(ROOT)}:\n{result.stdout}{result.stderr}"
