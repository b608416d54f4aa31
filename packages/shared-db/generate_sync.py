"""Make `shared/db/_sync` from `shared/db/_async`. Run it after every change; `--check` compares.

The two colours differ in words only: words are replaced and `async`/`await` dropped. What differs
in kind (waiting, threads) is in the two `runtime.py`, which are written by hand.
"""

# ruff: noqa: INP001 - a script

import re
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent / "src" / "shared" / "db"
WRITTEN, GENERATED = PACKAGE / "_async", PACKAGE / "_sync"
BY_HAND = {"runtime.py", "__init__.py"}
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
    r"\bAwaitable\[([^\[\]]+(\[[^\[\]]*\])?)\]": r"\1",
    r"\b(async|await) ": "",
    r"asynchronous": "synchronous",
    r"\bAsyncIterator, Iterator\b": "Iterator",
    r"\bAbstractAsyncContextManager\b": "AbstractContextManager",
    r"\basyncio\.Lock\b": "threading.Lock",
    r"\bimport asyncio\b": "import threading",
}
HEADER = """\
# Generated from {source} by generate_sync.py: change that file, not this one.
# fmt: off
"""


def convert(source: str) -> str:
    """Return a module in its synchronous form."""
    for pattern, replacement in PHRASES.items():
        source = re.sub(pattern, replacement, source)
    source = re.sub(
        r"\w+", lambda match: WORDS.get(match[0], match[0].removeprefix("Async")), source
    )
    return re.sub(r"(?<=collections\.abc import )(.+)", _each_once, source)


def _each_once(names: re.Match[str]) -> str:
    """Two words may become one, such as AsyncIterator and Iterator."""
    return ", ".join(sorted(set(names[0].split(", "))))


def generate() -> dict[Path, str]:
    """Return every generated file and its content."""
    files = {}
    for path in sorted(WRITTEN.rglob("*.py")):
        place = path.relative_to(WRITTEN)
        if place.name not in BY_HAND:
            head = HEADER.format(source=f"_async/{place.as_posix()}")
            files[GENERATED / place] = head + convert(path.read_text("utf-8"))
    return files


def strays(files: dict[Path, str]) -> list[Path]:
    """Return the files that nothing generates any more."""
    return [
        path
        for path in sorted(GENERATED.rglob("*.py"))
        if path.name not in BY_HAND and path not in files
    ]


def main() -> int:
    """Write the files, or with `--check` report whether they are current."""
    files = generate()
    stale = [
        path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text
    ]
    left = strays(files)
    if "--check" in sys.argv[1:]:
        sys.stdout.writelines(f"{path} is not current\n" for path in stale + left)
        return len(stale + left)
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(files[path], "utf-8")
    for path in left:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
