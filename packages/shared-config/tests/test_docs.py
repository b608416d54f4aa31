"""README and guide: every Python block runs, and the table of variables is true."""

import os
import re
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

import pytest

from shared.config.__main__ import main

PACKAGE = Path(__file__).parent.parent
GUIDE = PACKAGE.parent.parent / "docs" / "guides" / "config.md"


def readme():
    """The README; where a wheel is tested alone, as it is in the wheel."""
    file = PACKAGE / "README.md"
    if file.exists():
        return file.read_text("utf-8")
    return metadata("shared-config")["Description"]


TEXTS = {"README.md": readme()} | ({GUIDE.name: GUIDE.read_text("utf-8")} if GUIDE.exists() else {})


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_python_block_runs(text, tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert blocks
    names = ("POSTGRES", "REDIS", "QDRANT", "CLICKHOUSE", "LOG_", "AGENT", "ENVIRONMENT", "DEBUG")
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if not k.startswith(names)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # What the text says is printed is printed.
    for shown in re.findall(r"^```text\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        assert shown in done.stdout


def test_the_table_of_variables_is_true(capsys):
    assert main(["docs"]) == 0
    table = capsys.readouterr().out
    assert f"<!-- variables: begin -->\n{table}<!-- variables: end -->" in readme()
