"""Keys in order, from folders of any size, in bounded memory."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from .names import LONG, decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .folder import Folder

_RUN = 20_000  # names that are sorted in memory


def places(
    folder: Folder, prefix: str, after: str, key_of: Callable[[str], str | None]
) -> Iterator[tuple[str, str]]:
    """Yield the keys that begin with `prefix` and come after `after`, in order, with their places.

    Args:
        folder: The root.
        prefix: The beginning of the keys.
        after: Where to start.
        key_of: Reads the key of a place whose name does not show it; None if it is gone.
    """
    import heapq

    head = prefix.rpartition("/")[0]
    shown = _walk(folder, _place(head), f"{head}/" if head else "", prefix, after)
    hidden = _sorted(_long(folder, prefix, after, key_of))
    return heapq.merge(shown, hidden)


def _place(head: str) -> str:
    return "".join(f"+{encode(part)}/" for part in head.split("/")) if head else ""


def _walk(
    folder: Folder, place: str, above: str, prefix: str, after: str
) -> Iterator[tuple[str, str]]:
    """Walk a folder: the keys below `a/` stand together, where `a/` stands among its siblings."""
    for key, name in _sorted(_entries(folder, place, above, prefix, after)):
        if name.startswith("+"):
            yield from _walk(folder, f"{place}{name}/", key, prefix, after)
        else:
            yield key, place + name


def _entries(
    folder: Folder, place: str, above: str, prefix: str, after: str
) -> Iterator[tuple[str, str]]:
    for name, is_folder in _scan(folder, place):
        if name[0] not in "+=" or (name[0] == "+") != is_folder or (part := decode(name)) is None:
            continue
        key = above + part
        if not is_folder:
            if key > after and key.startswith(prefix):
                yield key, name
            continue
        key += "/"
        if not (key.startswith(prefix) or prefix.startswith(key)):
            continue
        if key > after or after.startswith(key):
            yield key, name


def _long(
    folder: Folder, prefix: str, after: str, key_of: Callable[[str], str | None]
) -> Iterator[tuple[str, str]]:
    for name, is_folder in _scan(folder, f"{LONG}/"):
        if not is_folder:
            key = key_of(f"{LONG}/{name}")
            if key is not None and key > after and key.startswith(prefix):
                yield key, f"{LONG}/{name}"


def _scan(folder: Folder, place: str) -> Iterator[tuple[str, bool]]:
    """Yield names and whether they are folders; links and the like are left out."""
    try:
        name, above = folder.enter(f"{place}.")
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        with os.scandir(name if above is None else above) as found:
            for entry in found:
                with suppress(OSError):
                    if entry.is_file(follow_symlinks=False):
                        yield entry.name, False
                    elif entry.is_dir(follow_symlinks=False):
                        yield entry.name, True
    except FileNotFoundError:
        return
    finally:
        if above is not None:
            os.close(above)


def _sorted(found: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Sort any number of pairs; those beyond one run wait in files."""
    import heapq
    import tempfile

    with ExitStack() as stack:
        runs: list[Iterator[tuple[str, str]]] = []
        run: list[tuple[str, str]] = []
        for pair in found:
            run.append(pair)
            if len(run) == _RUN:
                run.sort()
                file = stack.enter_context(
                    tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n")
                )
                file.writelines(f"{key}\n{name}\n" for key, name in run)  # neither has a line's end
                file.seek(0)
                runs.append(_read(file))
                run = []
        run.sort()
        yield from heapq.merge(iter(run), *runs) if runs else run


def _read(file: Iterable[str]) -> Iterator[tuple[str, str]]:
    lines = iter(file)
    for key in lines:
        yield key[:-1], next(lines)[:-1]
