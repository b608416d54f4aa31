"""The simple index: its pages, its server, and that no namesake of ours gets in."""

import base64
import hashlib
import json
import re
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest

from .conftest import NAMES, UV, installers_environment

FILES = 2 * len(NAMES)  # a wheel and an sdist of each

JSON = "application/vnd.pypi.simple.v1+json"


class Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.found.append(dict(attrs))


def test_the_index_lists_every_project_and_every_file_with_its_hash(index):
    projects = json.loads((index / "simple/index.json").read_text())["projects"]
    assert [project["name"] for project in projects] == NAMES
    links = Links((index / "simple/index.html").read_text()).found
    assert [link["href"] for link in links] == [f"{name}/" for name in NAMES]
    for name in NAMES:
        folder = index / "simple" / name
        page = json.loads((folder / "index.json").read_text())
        links = Links((folder / "index.html").read_text()).found
        assert page["name"] == name
        assert page["versions"] == (
            ["1.0.0", "1.1.0"] if name == "shared-resilience" else ["1.0.0"]
        )
        assert len(page["files"]) == len(links) == 2 * len(page["versions"])
        for entry, link in zip(page["files"], links, strict=True):
            content = (folder / entry["url"]).read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            assert entry["hashes"] == {"sha256": digest}
            assert entry["size"] == len(content)
            assert link["href"] == f"{entry['url']}#sha256={digest}"
            assert entry["requires-python"] == link["data-requires-python"] == ">=3.11"
            if entry["filename"].endswith(".whl"):
                metadata = (folder / f"{entry['url']}.metadata").read_bytes()
                assert f"Name: {name}\n".encode() in metadata
                digest = hashlib.sha256(metadata).hexdigest()
                assert entry["core-metadata"] == {"sha256": digest}
                assert link["data-core-metadata"] == f"sha256={digest}"


def test_a_later_run_adds_and_rebuilds_only_what_is_spoilt(released, tmp_path):
    folder = tmp_path / "served"
    assert f"{FILES} files, {FILES} of them new" in released.run("index", str(folder)).stdout
    before = {path.name: path.read_bytes() for path in (folder / "files").iterdir()}
    assert f"{FILES} files, 0 of them new" in released.run("index", str(folder)).stdout
    wheel = "shared_health-1.0.0-py3-none-any.whl"
    (folder / "files" / wheel).write_bytes(b"spoilt")
    assert f"{FILES} files, 2 of them new" in released.run("index", str(folder)).stdout
    after = {path.name: path.read_bytes() for path in (folder / "files").iterdir()}
    assert after == before  # builds are reproducible

    released.write("packages/shared-health/changes/+x.fixed.md", "Well again.\n")
    released.commit()
    assert released.run("release", "shared-health", "patch").returncode == 0
    released.git("tag", "--delete", "shared-health-v1.0.0")  # as in a shallow clone
    result = released.run("index", str(folder))
    assert f"{FILES + 2} files, 2 of them new" in result.stdout, result.stderr
    page = json.loads((folder / "simple/shared-health/index.json").read_text())
    assert page["versions"] == ["1.0.0", "1.0.1"]


def test_what_is_not_released_is_built_from_the_working_tree_and_said(unreleased, tmp_path):
    checkout = unreleased.copy(tmp_path / "shared")
    (tmp_path / "elsewhere").mkdir()
    result = subprocess.run(
        checkout.command("index", "here"),  # relative to where it is called
        cwd=tmp_path / "elsewhere",
        env=checkout.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "shared-db 1.0.0 is not released; built from the working tree" in result.stdout
    assert (tmp_path / "elsewhere/here/simple/shared-db/index.html").exists()


def test_a_package_that_does_not_build_is_named(released, tmp_path):
    project = "packages/shared-health/pyproject.toml"
    text = released.read(project).replace('version = "1.0.0"', 'version = "1.0.1"')
    released.write(project, text.replace('readme = "README.md"', 'readme = "NOTHING.md"'))
    result = released.run("index", str(tmp_path / "served"))
    assert result.returncode == 2
    assert "index: shared-health 1.0.1 does not build" in result.stderr
    result = released.run("index", str(tmp_path / "served"), "--serve", "nowhere:http")
    assert "does not build" in result.stderr


def get(address, accept="text/html"):
    request = urllib.request.Request(address, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.headers.get_content_type(), answer.read().decode(), answer.url


def test_the_server_answers_in_the_format_that_is_asked_for(index, serve):
    address = serve(index, "http://127.0.0.1:9/simple/")
    kind, text, _ = get(address + "shared-db/", f"{JSON}, text/html;q=0.1")
    assert (kind, json.loads(text)["name"]) == (JSON, "shared-db")
    assert get(address + "shared-db/")[0] == "text/html"
    assert get(address)[1].count("<a ") == len(NAMES)
    assert get(address + "Shared_DB")[2] == address + "shared-db/"
    assert "shared_db-1.0.0.tar.gz" in get(address.replace("simple", "files"))[1]


def test_the_server_sends_others_names_on_and_never_ours(index, serve, public):
    address = serve(index, public)
    assert get(address + "six/")[2] == public + "six/"
    for name in ("shared", "shared-nothing", "Shared.Nothing", "..%2f..%2fetc"):
        with pytest.raises(urllib.error.HTTPError, match="404") as caught:
            get(f"{address}{name}/")
        caught.value.close()
    assert "namesake" not in get(address + "shared-db/")[1]


# The public index, played by a local one: it holds what the real one does not yet hold,
# namesakes with higher versions than ours, and empty stand-ins for our dependencies.


@pytest.fixture(scope="module")
def public(index, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("public")
    metadata = (index / "files").glob("*.metadata")
    needs = {
        re.split(r"[^\w.-]", line.removeprefix("Requires-Dist: "))[0].lower().replace("_", "-")
        for path in metadata
        for line in path.read_text().splitlines()
        if line.startswith("Requires-Dist: ")
    }
    for name in [*sorted(needs - set(NAMES)), "six"]:
        stand_in(folder, name, high(index, name))
    for name in ["shared", *NAMES]:
        stand_in(folder, name, "99.0", {"shared/__init__.py": "'''a namesake'''\n"})
    return serve(folder)


def high(index, name):
    """A version that our requirements of a library allow."""
    lowest = {"99.0"}
    for path in (index / "files").glob("*.metadata"):
        text = path.read_text()
        lowest |= set(
            re.findall(rf"^Requires-Dist: {re.escape(name)}\b.*?>=([\d.]+)", text, re.MULTILINE)
        )
        if re.search(rf"^Requires-Dist: {re.escape(name)}\b.*<", text, re.MULTILINE):
            lowest.discard("99.0")
    return max(lowest, key=lambda text: [int(part) for part in text.split(".")])


def stand_in(folder, name, version, files=None):
    stem = f"{name.replace('-', '_')}-{version}"
    wheel = folder / "files" / f"{stem}-py3-none-any.whl"
    wheel.parent.mkdir(exist_ok=True)
    contents = dict(files or {})
    extras = "".join(f"Provides-Extra: {extra}\n" for extra in ("binary", "async", "hiredis"))
    contents[f"{stem}.dist-info/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nAuthor: a namesake\n{extras}"
    )
    contents[f"{stem}.dist-info/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = ""
    for path, text in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record += f"{path},sha256={digest.decode()},{len(text.encode())}\n"
    contents[f"{stem}.dist-info/RECORD"] = f"{record}{stem}.dist-info/RECORD,,\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in contents.items():
            archive.writestr(path, text)
    page = folder / "simple" / name
    page.mkdir(parents=True)
    entry = {"filename": wheel.name, "url": f"../../files/{wheel.name}", "hashes": {}}
    listing = {"meta": {"api-version": "1.0"}, "name": name, "files": [entry]}
    (page / "index.json").write_text(json.dumps(listing))
    (page / "index.html").write_text(f'<a href="{entry["url"]}">{wheel.name}</a>')


@pytest.fixture
def environment(tmp_path):
    """A fresh environment without pip: installers work on it from outside."""
    subprocess.run(
        [UV, "venv", "-q", "-p", sys.executable, str(tmp_path / "venv")],
        check=True,
        env=installers_environment(),
    )
    return tmp_path / "venv"


def install(environment, command, *arguments):
    tool = {
        "uv": [UV, "pip", "install", "-q", "--no-cache", "--python", str(environment)],
        "pip": [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(environment / "bin/python"),
            "install",
            "-q",
            "--no-cache-dir",
            "--disable-pip-version-check",
        ],
    }[command]
    return subprocess.run(
        [*tool, *arguments],
        env=installers_environment(),
        cwd=environment.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def versions(environment):
    found = environment.glob("lib/python*/site-packages/*.dist-info/METADATA")
    texts = [path.read_text() for path in found]
    pairs = re.findall(r"^Name: (.*)\nVersion: (.*)$", "\n".join(texts), re.MULTILINE)
    return {name: number for name, number in pairs if name.startswith("shared")}


OURS = ["shared-config", "shared-core", "shared-db"]  # what shared-db brings of ours
WAYS = {
    "pip, our index alone, which sends others' names on": (
        "pip",
        ["--index-url", "{ours}", "shared-db[postgres]"],
    ),
    "uv, our index first": (
        "uv",
        ["--index", "{plain}", "--default-index", "{public}", "shared-db[postgres]"],
    ),
    "uv, our index alone": ("uv", ["--default-index", "{ours}", "shared-db[postgres]"]),
    "pip, wheels by path": (
        "pip",
        ["--index-url", "{public}", "{db}[postgres]", "{config}", "{core}"],
    ),
    "pip, wheels by folder": (
        "pip",
        ["--no-index", "--find-links", "{files}", "--no-deps", *OURS],
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_namesake_gets_in_by_a_documented_way(index, serve, public, environment, way):
    tool, arguments = WAYS[way]
    places = {
        "ours": serve(index, public),
        "plain": serve(index),  # as any static server: knows our names only
        "public": public,
        "files": str(index / "files"),
        "db": str(index / "files/shared_db-1.0.0-py3-none-any.whl"),
        "config": str(index / "files/shared_config-1.0.0-py3-none-any.whl"),
        "core": str(index / "files/shared_core-1.0.0-py3-none-any.whl"),
    }
    result = install(environment, tool, *(text.format(**places) for text in arguments))
    assert result.returncode == 0, result.stderr
    assert versions(environment) == dict.fromkeys(OURS, "1.0.0")
    assert not list(environment.glob("lib/python*/site-packages/shared/__init__.py"))


def test_no_namesake_gets_into_a_uv_project(index, serve, public, tmp_path):
    ours = serve(index)
    (tmp_path / "pyproject.toml").write_text(f"""
        [project]
        name = "service"
        version = "1"
        requires-python = ">=3.11"
        dependencies = ["shared-db[postgres]>=1.0,<2"]
        [[tool.uv.index]]
        url = "{ours}"
    """)
    environment = installers_environment()
    del environment["UV_NO_CONFIG"]  # the project's own settings are the point
    result = subprocess.run(
        [UV, "lock", "--no-cache", "--python", sys.executable, "--default-index", public],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    locked = tomllib.loads((tmp_path / "uv.lock").read_text())["package"]
    found = {p["name"]: p["source"]["registry"] for p in locked if p["name"].startswith("shared")}
    assert found == dict.fromkeys(OURS, ours)


def test_the_namesakes_would_get_in_by_a_way_that_is_not_documented(
    index, serve, public, environment
):
    """Without this, the test above might pass because the namesakes can never be installed."""
    ours = serve(index)
    result = install(
        environment, "pip", "--index-url", ours, "--extra-index-url", public, "shared-db"
    )
    assert result.returncode == 0, result.stderr
    assert versions(environment)["shared-db"] == "99.0"


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_namesake_that_we_do_not_have_is_not_found(index, serve, public, environment, tool):
    option = "--index-url" if tool == "pip" else "--default-index"
    result = install(environment, tool, option, serve(index, public), "shared")
    assert result.returncode != 0
    assert versions(environment) == {}


def test_scripts_index_serves(all_released, index):
    process = subprocess.Popen(
        all_released.command("index", str(index), "--serve", "0"),
        cwd=all_released.folder,
        env=all_released.environment | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    try:
        line = next(line for line in process.stdout if "--index-url" in line)
        address = line.split()[4]
        assert "shared_resilience-1.1.0" in get(address + "shared-resilience/")[1]
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_the_pages_are_relative_so_that_any_server_and_folder_will_do(index):
    for page in Path(index).rglob("index.*"):
        assert "http:" not in page.read_text()
        assert "file:" not in page.read_text()
        assert str(index) not in page.read_text()
