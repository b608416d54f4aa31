"""What the scripts share: where the checkout is, its packages, and the environment a script needs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def packages() -> dict[str, Path]:
    """Return name and folder of every distribution, sorted by name."""
    return {p.parent.name: p.parent for p in sorted((ROOT / "packages").glob("*/pyproject.toml"))}


def choose(names: list[str], script: str) -> dict[str, Path]:
    """Return the named packages, all when none is named; exit 2 on a name that is not there."""
    known = packages()
    if unknown := sorted(set(names) - set(known)):
        print(
            f"{script}: no such package: {', '.join(unknown)}; there are {', '.join(known)}",
            file=sys.stderr,
        )
        raise SystemExit(2)
    return {name: known[name] for name in names or known}


def enter(environment: str, script: str) -> None:
    """Start the script again inside its hatch environment, unless it runs there already."""
    if os.environ.get("HATCH_ENV_ACTIVE") != environment:
        hatch = str(ROOT / "scripts" / "hatch")
        command = [hatch, "--quiet", "run", f"{environment}:scripts/{script}", *sys.argv[1:]]
        os.execv(hatch, command)  # noqa: S606 - no shell is wanted
