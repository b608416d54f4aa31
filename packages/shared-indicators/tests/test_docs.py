"""The documents do what they say, and the table of the guide is the registry."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from shared import indicators as own

PACKAGE = Path(__file__).parents[1]
GUIDES = PACKAGE.parents[1] / "docs" / "guides"
START, END = "<!-- table of indicators -->", "<!-- end of table -->"
DOCUMENTS = [PACKAGE / "README.md", GUIDES / "indicators.md", GUIDES / "adding-an-indicator.md"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_blocks_run_top_to_bottom(path, tmp_path):
    if not path.exists():
        pytest.skip(f"{path.name} is not shipped with the package")
    blocks = re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL)
    assert blocks
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def table():
    rows = [
        "| name | group | parameters | inputs | outputs | lookback | |",
        "|---|---|---|---|---|---|---|",
    ]
    for spec in own.available().values():
        parameters = ", ".join(f"{p.name}={p.default!r}" for p in spec.parameters)
        rows.append(
            f"| {spec.name} | {spec.group} | {parameters} | {', '.join(spec.inputs)} "
            f"| {', '.join(spec.outputs)} | {spec.lookback} | {spec.title} |"
        )
    return "\n".join(rows)


def test_the_table_of_the_guide_is_the_registry():
    """Outside CI a table that is behind is written anew."""
    guide = GUIDES / "indicators.md"
    if not guide.exists():
        pytest.skip("the guides are not shipped with the package")
    text = guide.read_text()
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    current = f"{before}{START}\n\n{table()}\n\n{END}{after}"
    if current != text and not os.environ.get("CI"):
        guide.write_text(current)
    elif current != text:
        pytest.fail("docs/guides/indicators.md is behind: run this test outside CI and commit it")
