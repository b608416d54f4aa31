"""The pages of a simple package index: HTML (PEP 503) and JSON (PEP 691), with hashes and metadata.

DIR/files/     wheels, their metadata (PEP 658) and sdists
DIR/simple/    index.html and index.json; the same in a folder for each project
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import HeaderParser
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

META = {"api-version": "1.1"}
PAGE = (
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="pypi:repository-version" content="1.1">\n<title>{title}</title>\n</head>\n'
    "<body>\n<h1>{title}</h1>\n{links}</body>\n</html>\n"
)


@dataclass
class File:
    """A distribution in the index, and the git tree that it was built from ('' when not a tag's)."""

    name: str
    tree: str
    sha256: str = ""

    @property
    def project(self) -> str:
        """The project, as PEP 503 writes it."""
        return self.name.split("-")[0].replace("_", "-")

    @property
    def version(self) -> str:
        """The version in the file's name."""
        return self.name.removesuffix(".tar.gz").split("-")[1]


def read_pages(folder: Path) -> dict[str, File]:
    """Return the files that an earlier run listed, by name."""
    return {
        entry["filename"]: File(
            entry["filename"], entry.get("_tree", ""), entry["hashes"]["sha256"]
        )
        for page in (folder / "simple").glob("*/index.json")
        for entry in json.loads(page.read_text(encoding="utf-8"))["files"]
    }


def write_pages(folder: Path, projects: list[str], files: list[File]) -> None:
    """Write the page of each project, then the list of projects."""
    for project in projects:
        ours = [file for file in files if file.project == project]
        entries = [describe(folder / "files", file) for file in ours]
        versions = sorted({file.version for file in ours}, key=release_order)
        page = {"meta": META, "name": project, "versions": versions, "files": entries}
        links = "".join(html_link(entry) for entry in entries)
        write_both(folder / "simple" / project, page, f"Links for {project}", links)
    listing = {"meta": META, "projects": [{"name": project} for project in projects]}
    links = "".join(f'<a href="{project}/">{project}</a><br>\n' for project in projects)
    write_both(folder / "simple", listing, "Simple index", links)


def describe(files: Path, file: File) -> dict[str, Any]:
    """Return the JSON entry of a file; a wheel's metadata is put beside it (PEP 658)."""
    path = files / file.name
    stem = "-".join(file.name.removesuffix(".tar.gz").split("-")[:2])
    entry: dict[str, Any] = {
        "filename": file.name,
        "url": f"../../files/{file.name}",
        "hashes": {"sha256": sha256(path)},
        "size": path.stat().st_size,
        "upload-time": f"{datetime.fromtimestamp(path.stat().st_mtime, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "_tree": file.tree,
    }
    if file.name.endswith(".whl"):
        with zipfile.ZipFile(path) as wheel:
            metadata = wheel.read(f"{stem}.dist-info/METADATA")
        replace(files / f"{file.name}.metadata", metadata)
        entry["core-metadata"] = {"sha256": hashlib.sha256(metadata).hexdigest()}
    else:
        with tarfile.open(path) as sdist:
            member = sdist.extractfile(f"{stem}/PKG-INFO")
            metadata = member.read() if member else b""
    if needed := HeaderParser().parsestr(metadata.decode())["Requires-Python"]:
        entry["requires-python"] = needed
    return entry


def html_link(entry: dict[str, Any]) -> str:
    """Return the anchor of one file."""
    attributes = f'href="{entry["url"]}#sha256={entry["hashes"]["sha256"]}"'
    if needed := entry.get("requires-python"):
        attributes += f' data-requires-python="{escape(needed)}"'
    if "core-metadata" in entry:
        attributes += f' data-core-metadata="sha256={entry["core-metadata"]["sha256"]}"'
    return f"<a {attributes}>{entry['filename']}</a><br>\n"


def write_both(folder: Path, page: dict[str, Any], title: str, links: str) -> None:
    """Write a page in both formats; a server in the middle of it reads the old or the new."""
    folder.mkdir(parents=True, exist_ok=True)
    replace(folder / "index.json", json.dumps(page, indent=1).encode())
    replace(folder / "index.html", PAGE.format(title=title, links=links).encode())


def replace(path: Path, content: bytes) -> None:
    """Write a file in one step."""
    partial = path.with_name(f".{path.name}.part")
    partial.write_bytes(content)
    partial.replace(path)


def sha256(path: Path) -> str:
    """Return a file's hash in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def release_order(version: str) -> list[int]:
    """Sort 1.10.0 after 1.9.0."""
    return [int(part) for part in version.split(".")]
