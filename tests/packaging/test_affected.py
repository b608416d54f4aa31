"""What a range of commits touches, and what stands on it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GIT = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]


@pytest.fixture
def checkout(tmp_path):
    """Copy what the script reads into a repository of one commit, made two days ago."""
    for path in ROOT.glob("packages/*/pyproject.toml"):
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True)
        shutil.copy(path, target)
    (tmp_path / "scripts").mkdir()
    for name in ("affected", "workspace.py"):
        shutil.copy(ROOT / "scripts" / name, tmp_path / "scripts" / name)
    git(tmp_path, "init", "-q")
    commit(tmp_path, "2026-01-01T12:00:00Z")
    return tmp_path


def git(where, *arguments, **env):
    command = [*GIT, *arguments]
    subprocess.run(command, cwd=where, check=True, env=os.environ | env, capture_output=True)


def commit(where, when):
    git(where, "add", "-A")
    git(where, "commit", "-q", "-m", "x", GIT_COMMITTER_DATE=when, GIT_AUTHOR_DATE=when)


def affected(where, *arguments):
    command = [sys.executable, "scripts/affected", *arguments]
    env = {name: value for name, value in os.environ.items() if name != "BASE"}
    run = subprocess.run(
        command, cwd=where, env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_a_change_reaches_the_packages_above(checkout):
    (checkout / "packages" / "shared-config" / "README.md").write_text("new")
    commit(checkout, "2026-01-03T12:00:00Z")
    assert affected(checkout, "HEAD~1") == affected(checkout) == ["shared-config", "shared-db"]
    assert affected(checkout, "HEAD") == []


def test_everything_stands_on_core(checkout):
    (checkout / "packages" / "shared-core" / "new.py").write_text("")  # not committed yet
    everything = sorted(path.name for path in (checkout / "packages").iterdir())
    assert affected(checkout, "HEAD") == everything


def test_only_a_day_counts_if_no_base_is_named(checkout):
    (checkout / "packages" / "shared-health" / "README.md").write_text("new")
    commit(checkout, "2026-01-02T13:00:00Z")
    (checkout / "packages" / "shared-lifecycle" / "README.md").write_text("new")
    commit(checkout, "2026-01-03T14:00:00Z")
    assert affected(checkout) == ["shared-lifecycle"]
    (checkout / "docs.md").write_text("new")
    commit(checkout, "2026-01-03T15:00:00Z")
    assert affected(checkout) == ["shared-lifecycle"]


def test_an_unknown_commit_is_named(checkout):
    command = [sys.executable, "scripts/affected", "nope"]
    run = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith("affected: fatal: ambiguous argument 'nope'")
    assert len(run.stderr.splitlines()) == 1
