"""What of a package's public API, as users of its last release know it, is gone or changed."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from releases import export

if TYPE_CHECKING:
    from griffe import Alias, Object

COLOURS = re.compile("\x1b\\[[0-9]+m")


def breakages(name: str, tag: str, root: Path) -> list[str]:
    """Return one line for each name or signature of the tag that the tree under root breaks."""
    with tempfile.TemporaryDirectory(prefix="api-") as scratch:
        released = Path(scratch) / "src"
        export(f"{tag}:packages/{name}/src", released, Path(scratch) / "index")
        return compare(name, released, root / "packages" / name / "src")


def compare(name: str, released: Path, now: Path) -> list[str]:
    """Return what breaks between two source folders of a package."""
    from griffe import (  # a script starts without its environment
        BreakageKind,
        find_breaking_changes,
    )

    old, new = load(name, released), load(name, now)
    found = {f"{path} is gone" for path in removed(old, new)}
    for breakage in find_breaking_changes(old, new):
        if breakage.kind is BreakageKind.OBJECT_REMOVED:
            found.add(f"{breakage.obj.path} is gone")
            continue
        line = COLOURS.sub("", breakage.explain())
        found.add(f"{breakage.obj.module.path}.{line.split(': ', 1)[1]}")  # without its place
    return sorted(found)


def load(name: str, source: Path) -> Object | Alias:
    """Read the package without importing it."""
    from griffe import GriffeLoader

    loader = GriffeLoader(search_paths=[source])
    package = loader.load(name.replace("-", "."), try_relative_path=False)
    loader.resolve_aliases(implicit=False, external=False)
    return package


def removed(old: Object | Alias, new: Object | Alias) -> list[str]:
    """Return the names that left an `__all__`: griffe is content when they can still be imported."""
    gone = [f"{old.path}.{name}" for name in exports(old) - exports(new)]
    for name, module in old.members.items():
        if module.is_alias or not module.is_module or name.startswith("_"):
            continue
        if name in new.members:
            gone += removed(module, new.members[name])
        else:
            gone.append(module.path)
    return gone


def exports(module: Object | Alias) -> set[str]:
    """Return what a module's `__all__` names; a module without one has only its public members."""
    from griffe import AliasResolutionError

    try:
        listed = module.exports
    except AliasResolutionError:
        listed = None
    return {str(name) for name in listed or ()}
