"""A scratch checkout of the working tree in which releases are made."""

import contextlib
import functools
import importlib
import os
import shutil
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV = str(Path(sys.executable).parent / "uv")
NAMES = sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml"))


class Checkout:
    """A repository of its own with this working tree's files; its scripts run in it."""

    def __init__(self, folder: Path):
        self.folder = folder

    def git(self, *arguments: str) -> str:
        command = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", *arguments]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def command(self, script: str, *arguments: str) -> list[str]:
        return [sys.executable, str(self.folder / "scripts" / script), *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """The scripts find themselves in their environment: the tests' own has their tools."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "COV_"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        # Nobody's own git settings: signing, hooks, another default branch.
        git = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        return kept | git | {"HATCH_ENV_ACTIVE": "tools", "PATH": path}

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
def unreleased(tmp_path_factory):
    """All packages as they are now, no tag yet. Read only: copy it to change it."""
    checkout = Checkout(tmp_path_factory.mktemp("checkout") / "shared")
    listed = subprocess.run(
        [
            "git",
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
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
def all_released(unreleased, tmp_path_factory):
    """All packages released as 1.0.0. Read only: copy it to change it."""
    checkout = unreleased.copy(tmp_path_factory.mktemp("released") / "shared")
    for name in NAMES:
        result = checkout.run("release", name, "1.0.0")
        assert result.returncode == 0, result.stderr
    return checkout


@pytest.fixture
def released(all_released, tmp_path):
    """All packages released as 1.0.0, to be changed at will."""
    return all_released.copy(tmp_path / "shared")


@pytest.fixture(scope="session")
def index(all_released, tmp_path_factory):
    """The index of all packages at 1.0.0 and shared-resilience at 1.1.0 too. Read only."""
    checkout = all_released.copy(tmp_path_factory.mktemp("second") / "shared")
    checkout.write("packages/shared-resilience/changes/+x.added.md", "Something new.\n")
    checkout.commit()
    result = checkout.run("release", "shared-resilience", "minor")
    assert result.returncode == 0, result.stderr
    folder = tmp_path_factory.mktemp("index")
    result = checkout.run("index", str(folder))
    assert result.returncode == 0, result.stderr
    # A wheel and an sdist of each, and of the one that was released twice.
    assert f"{2 * len(NAMES) + 2} files, {2 * len(NAMES) + 2} of them new" in result.stdout
    return folder


@pytest.fixture(scope="session")
def serve():
    """Serve a folder over HTTP; return the address of its index.

    With a public index as scripts/index --serve does, else as any static server.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        server_module = importlib.import_module("simple_server")  # the scripts are no package

    def start(folder, public=""):
        base = (
            functools.partial(server_module.Handler, public=public)
            if public
            else SimpleHTTPRequestHandler
        )
        handler = functools.partial(base, directory=str(folder))
        server = running.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        running.callback(server.shutdown)
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        return server_module.url(server)

    with contextlib.ExitStack() as running, pytest.MonkeyPatch.context() as patch:
        patch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
        yield start


def installers_environment() -> dict[str, str]:
    """What pip and uv need, and no index or find-links of the machine that would join in."""
    kept = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("PIP_", "UV_", "VIRTUAL_ENV", "PYTHON"))
        or k.endswith(("CERT", "CACHE_DIR"))
    }
    return kept | {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "UV_SYSTEM_CERTS": "1"}
