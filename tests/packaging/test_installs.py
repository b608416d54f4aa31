"""Every package installs from the index, with the real public index behind it for what is not ours.

Here on this Python, with fewer cases for pip, which is slow. With INSTALLS=all, on every
Python 3.11+ of the machine and every package alone, as a wheel and as an sdist.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from .conftest import NAMES, UV, installers_environment

EVERYTHING = os.environ.get("INSTALLS") == "all"
PUBLIC = os.environ.get("PIP_INDEX_URL") or "https://pypi.org/simple/"


class Case(NamedTuple):
    """One installation into an environment of its own, and the versions it must give."""

    tool: str
    wanted: tuple[str, ...]
    expected: dict[str, str]
    sdist: bool = False
    alone: bool = False  # without dependencies: then nothing can be imported

    def __str__(self):
        kind = "sdist" if self.sdist else "wheel"
        what = "all" if len(self.wanted) > 2 else "+".join(self.wanted)
        return f"{self.tool}-{what}-{kind}{'-alone' if self.alone else ''}"


def expect(*names, **newer):
    found = dict.fromkeys([*names, "shared-core"], "1.0.0")
    if "shared-resilience" in found:
        found["shared-resilience"] = "1.1.0"
    if "shared-db" in found:
        found["shared-config"] = "1.0.0"
    return found | newer


def cases():
    for tool in ("uv", "pip"):
        for version in ("1.0.0", "1.1.0"):
            wanted = f"shared-resilience=={version}"
            yield Case(tool, (wanted,), {"shared-core": "1.0.0", "shared-resilience": version})
        yield Case(tool, ("shared-db[postgres]",), expect("shared-db"))
        if tool == "uv" or EVERYTHING:
            yield Case(tool, tuple(NAMES), expect(*NAMES))
            yield Case(tool, tuple(NAMES), expect(*NAMES), sdist=True, alone=tool == "pip")
        else:
            one = "shared-resilience"
            yield Case(tool, (one,), {one: expect(one)[one]}, sdist=True, alone=True)
        for name in NAMES if EVERYTHING else []:
            alone = tool == "pip"  # with dependencies: uv, which is quick
            expected = {name: expect(name)[name]} if alone else expect(name)
            yield Case(tool, (name,), expected, alone=alone)
            yield Case(tool, (name,), expected, sdist=True, alone=alone)


def pythons():
    """Every Python of the machine that the packages support, one for each minor version."""
    found = {sys.version_info[:2]: sys.executable}
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep)]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders += pyenv.glob("versions/*/bin")
    for path in (path for folder in folders for path in folder.glob("python3.*")):
        if EVERYTHING and re.fullmatch(r"python3\.\d+", path.name):
            command = [str(path), "-c", "import sys; print(*sys.version_info[:2])"]
            answer = subprocess.run(command, capture_output=True, text=True, check=False)
            if answer.returncode == 0:  # a pyenv shim may have no Python behind it
                major, minor = map(int, answer.stdout.split())
                found.setdefault((major, minor), str(path))
    return [path for version, path in sorted(found.items()) if version >= (3, 11)]


CHECK = """
import importlib, importlib.metadata as metadata, sys
found = {d.name: d for d in metadata.distributions() if d.name.startswith("shared")}
print({name: d.version for name, d in found.items()})
authors = {d.metadata["Author"] for d in found.values()}
assert authors == {"The shared maintainers"}, authors
assert not any(str(path) == "shared/__init__.py" for d in found.values() for path in d.files)
if "import" in sys.argv:
    for name in found:
        importlib.import_module(name.replace("-", "."))
    assert sys.modules["shared"].__file__ is None
if "psycopg" in sys.argv:
    import psycopg
"""


def run(case, python, address, folder):
    """Install and look; return what went wrong, '' when nothing did."""
    folder.mkdir(parents=True)
    environment = installers_environment() | {"UV_PYTHON_DOWNLOADS": "never"}

    def call(*command):
        result = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        return result.stdout, "" if result.returncode == 0 else result.stdout + result.stderr

    _, failure = call(UV, "venv", "-q", "-p", python, "venv")
    if failure:
        return failure
    if case.tool == "uv":
        command = [UV, "pip", "install", "-q", "--python", "venv", "--default-index", address]
        sources = [part for name in NAMES for part in ("--no-binary", name)]
    else:
        command = [sys.executable, "-m", "pip", "--python", "venv/bin/python", "install", "-q"]
        command += ["--index-url", address, "--disable-pip-version-check"]
        sources = ["--no-binary", ",".join(NAMES)]
    if case.sdist:
        command += sources
    if case.alone:
        command.append("--no-deps")
    _, failure = call(*command, *case.wanted)
    if failure:
        return failure
    asked = [] if case.alone else ["import"]
    asked += ["psycopg"] if "postgres" in case.wanted[0] else []
    found, failure = call("venv/bin/python", "-I", "-c", CHECK, *asked)
    if failure:
        return failure
    return "" if eval(found) == case.expected else f"found {found}, not {case.expected}"


@pytest.fixture(scope="module")
def running(index, serve, tmp_path_factory):
    """All installations, under way at once: each test waits for its own."""
    address = serve(index, PUBLIC)
    folder = tmp_path_factory.mktemp("installs")
    with ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
        yield {
            (python, str(case)): pool.submit(run, case, python, address, folder / str(number))
            for number, (python, case) in enumerate(ALL)
        }


ALL = [(python, case) for python in pythons() for case in cases()]


@pytest.mark.parametrize(
    ("python", "case"),
    [pytest.param(*pair, id=f"{Path(pair[0]).name}-{pair[1]}") for pair in ALL],
)
def test_it_installs_from_the_index(running, python, case):
    assert running[python, str(case)].result() == ""
