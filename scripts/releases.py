"""What release, index and api share: tags, versions, and the tree of a tag outside the checkout."""

from __future__ import annotations

import os
import subprocess
import tomllib
from typing import TYPE_CHECKING

from workspace import ROOT

if TYPE_CHECKING:
    from pathlib import Path


class Refused(Exception):  # noqa: N818 - it is an answer, not an error in a script
    """What was asked for cannot be done; the text says why."""


def git(
    *arguments: str, cwd: Path = ROOT, stdin: str = "", aside: dict[str, str] | None = None
) -> str:
    """Return what a git command prints; Refused with git's own words when it fails.

    `aside` holds environment variables that keep it away from the checkout's index or files.
    """
    result = subprocess.run(
        ["git", *arguments],
        cwd=cwd,
        env={**os.environ, **(aside or {})},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise Refused(f"git {arguments[0]} failed: {result.stderr.strip()}")
    return result.stdout.strip()


def tags(name: str) -> list[str]:
    """Return the package's release tags, newest version first."""
    found = git("tag", "--list", f"{name}-v*", "--sort=-version:refname")
    return found.splitlines()


def last_tag(name: str) -> str:
    """Return the package's newest release tag, '' before the first."""
    return next(iter(tags(name)), "")


def version(folder: Path) -> str:
    """Return the version that a package's metadata states."""
    text = (folder / "pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["version"])


def numbers(text: str) -> tuple[int, int, int]:
    """Return X.Y.Z as numbers."""
    major, minor, patch = (int(part) for part in text.split("."))
    return major, minor, patch


def export(tree: str, folder: Path, index: Path, *paths: str) -> None:
    """Write files of a commit, a tag or a subfolder of one to a folder; the checkout stays as it is."""
    aside = {"GIT_INDEX_FILE": str(index)}
    git("read-tree", tree, aside=aside)
    files = git("ls-files", "-z", *paths, aside=aside)
    git("checkout-index", "-z", "--stdin", f"--prefix={folder}/", stdin=files, aside=aside)
