"""Makes `shared/db/_sync` from `shared/db/_async`. Run it after every change; ``--check`` compares.

The two forms differ in words only: words are replaced and ``async``/``await`` dropped. What
differs in kind (waiting, threads) is in the two `_runtime.py`, which are written by hand.
"""

# ruff: noqa: INP001 - a script

import re
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent / "src" / "shared" / "db"
BY_HAND = {"_runtime.py", "__init__.py"}
WORDS = {
    "StopAsyncIteration": "StopIteration",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "_async": "_sync",
    "aclose": "close",
    "aiter": "iter",
    "anext": "next",
    "asynccontextmanager": "contextmanager",
    "get_async_client": "get_client",
}
PHRASES = {
    r"\bredis\.asyncio\b": "redis",
    r"\bdriver\(\)\.asyncio\b": "driver()",
    r"\bAwaitable\[([^\[\]]+(\[[^\[\]]*\])?)\]": r"\1",
    r"\b(async|await) ": "",
    r"asynchronous": "synchronous",
    r"\bAsyncIterator, Iterator\b": "Iterator",
    r"\bAbstractAsyncContextManager\b": "AbstractContextManager",
    r"\basyncio\.Lock\b": "threading.Lock",
    r"\bimport asyncio\b": "import threading",
}
# What the formatter of imports and the like would do otherwise in the synchronous form.
LINT = {
    "connections.py": "F401",
    "postgres.py": "C416, SIM117, UP028",
}
HEADER = """\
# Generated from ../_async/{name} by generate_sync.py: change that file, not this one.
# fmt: off
"""


def convert(source: str) -> str:
    """A module in its synchronous form."""
    source = re.sub(r"\A# ruff: noqa.*\n", "", source)
    for pattern, replacement in PHRASES.items():
        source = re.sub(pattern, replacement, source)
    return re.sub(r"\w+", lambda match: WORDS.get(match[0], match[0].removeprefix("Async")), source)


def head(name: str) -> str:
    """The first lines of a generated file."""
    codes = LINT.get(name)
    return HEADER.format(name=name) + (f"# ruff: noqa: {codes} - generated\n" if codes else "")


def generate() -> dict[Path, str]:
    """Every generated file and its content."""
    return {
        PACKAGE / "_sync" / path.name: head(path.name) + convert(path.read_text("utf-8"))
        for path in sorted((PACKAGE / "_async").glob("*.py"))
        if path.name not in BY_HAND
    }


def main() -> int:
    """Writes the files, or with ``--check`` tells whether they are current."""
    files = generate()
    stale = [
        path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text
    ]
    if "--check" in sys.argv[1:]:
        sys.stdout.writelines(f"{path} is not current\n" for path in stale)
        return len(stale)
    for path in stale:
        path.write_text(files[path], "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
