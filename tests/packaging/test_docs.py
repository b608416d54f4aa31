"""The documentation's own promises: pages that are made are current, and names that it names exist."""

import importlib.machinery
import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_comparison_is_what_the_committed_results_give():
    command = [sys.executable, "scripts/pages", "--check"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def pages():
    """The script as a module."""
    loader = importlib.machinery.SourceFileLoader("pages", str(ROOT / "scripts" / "pages"))
    spec = importlib.util.spec_from_loader("pages", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        loader.exec_module(module)
    return module


def test_headings_go_deeper_but_not_comments_in_code(pages):
    text = "## One\n\n```text\n# a comment\n```\n\n### Two\n"
    assert pages.deeper(text) == "### One\n\n```text\n# a comment\n```\n\n#### Two\n"


def test_links_out_of_the_documentation_lead_to_its_own_pages(pages, tmp_path):
    guide = tmp_path / "docs" / "guides" / "x.md"
    guide.parent.mkdir(parents=True)
    guide.write_text(
        "[a](../../packages/shared-db/README.md) [b](../../packages/shared-db/) [c](y.md#z)\n"
        "[d](../../packages/shared-db/benchmarks/RESULTS.md) [e](../../CONTRIBUTING.md)\n"
        "[f](../../packages/shared-db/CHANGELOG.md) [g](../quickstart.md)\n"
    )
    pages.stage(tmp_path / "docs", tmp_path / "site")
    assert (tmp_path / "site" / "guides" / "x.md").read_text() == (
        "[a](../packages/db.md) [b](../packages/db.md) [c](y.md#z)\n"
        "[d](../comparison.md#shared-db) e (`CONTRIBUTING.md`)\n"
        "[f](../packages/db.md#changelog) [g](../quickstart.md)\n"
    )


def test_every_name_that_the_migration_page_gives_can_be_imported():
    page = (ROOT / "docs" / "migration.md").read_text(encoding="utf-8")
    lines = re.findall(r"`from (shared\.\w+) import ([^`]+)`", page)
    assert len(lines) > 20
    missing = [
        f"{module}.{name}"
        for module, names in lines
        for name in names.split(", ")
        if not hasattr(importlib.import_module(module), name)
    ]
    assert missing == []


def test_the_site_shows_every_package_and_every_guide():
    config = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    listed = set(re.findall(r"[\w/-]+\.md", str(config["nav"])))
    assert [page for page in listed if not (ROOT / "docs" / page).exists()] == []
    guides = {f"guides/{path.name}" for path in (ROOT / "docs" / "guides").glob("*.md")}
    assert guides <= listed
    sources = config["plugins"]["mkdocstrings"]["handlers"]["python"]["paths"]
    pages = sorted(path.name.removeprefix("shared-") for path in (ROOT / "packages").iterdir())
    assert sorted(sources) == [f"packages/shared-{page}/src" for page in pages]
    for page in pages:
        assert f"packages/{page}.md" in listed
        text = (ROOT / "docs" / "packages" / f"{page}.md").read_text(encoding="utf-8")
        source = ROOT / "packages" / f"shared-{page}" / "src" / "shared" / page
        parts = {path.stem for path in source.glob("[a-z]*.py")}
        parts |= {path.parent.name for path in source.glob("[a-z]*/__init__.py")}
        expected = {f"shared.{page}"} | {f"shared.{page}.{part}" for part in parts}
        assert set(re.findall(r"^::: (\S+)$", text, re.MULTILINE)) == expected
        assert f'--8<-- "changelog-shared-{page}.md"' in text
