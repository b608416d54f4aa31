"""A scratch checkout of the working tree in which releases are made."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml"))


class Checkout:
    """A repository of its own with this working tree's files; its scripts run in it."""

    def __init__(self, folder: Path):
        self.folder = folder

    def git(self, *arguments: str) -> str:
        command = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", *arguments]
        return subprocess.run(
            command, cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout.strip()

    def command(self, script: str, *arguments: str) -> list[str]:
        return [sys.executable, str(self.folder / "scripts" / script), *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """The scripts find themselves in their environment: the tests' own has their tools."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "COV_"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return kept | {"HATCH_ENV_ACTIVE": "tools", "PATH": path}

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(script, *arguments),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def write(self, path: str, text: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def read(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")

    def commit(self, message: str = "Change") -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)

    def state(self) -> tuple[str, str, str]:
        """What a release may change: the branch, the tags, and the files git knows of."""
        status = self.git("status", "--porcelain")
        return self.git("rev-parse", "HEAD"), self.git("tag"), status

    def copy(self, folder: Path) -> "Checkout":
        shutil.copytree(self.folder, folder, symlinks=True)
        return Checkout(folder)


@pytest.fixture(scope="session")
def unreleased(tmp_path_factory) -> Checkout:
    """All packages as they are now, no tag yet. Read only: copy it to change it."""
    checkout = Checkout(tmp_path_factory.mktemp("checkout") / "shared")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            target = checkout.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    checkout.git("init", "--quiet", "--initial-branch=main")
    checkout.git("config", "user.name", "Test")
    checkout.git("config", "user.email", "test@example.org")
    for name in NAMES:  # whatever has been released here, the scratch packages begin at 1.0.0
        project = f"packages/{name}/pyproject.toml"
        first = checkout.read(project).split("\n")
        at = next(i for i, line in enumerate(first) if line.startswith("version = "))
        first[at] = 'version = "1.0.0"'
        checkout.write(project, "\n".join(first))
        checkout.write(f"packages/{name}/changes/+scratch.added.md", "A scratch release.\n")
    checkout.commit("Everything")
    return checkout


@pytest.fixture(scope="session")
def all_released(unreleased, tmp_path_factory) -> Checkout:
    """All packages released as 1.0.0. Read only: copy it to change it."""
    checkout = unreleased.copy(tmp_path_factory.mktemp("released") / "shared")
    for name in NAMES:
        result = checkout.run("release", name, "1.0.0")
        assert result.returncode == 0, result.stderr
    return checkout


@pytest.fixture
def released(all_released, tmp_path) -> Checkout:
    """All packages released as 1.0.0, to be changed at will."""
    return all_released.copy(tmp_path / "shared")
