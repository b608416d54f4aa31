"""Keys as names of files that no file system takes for one another, or for a path out of the root.

Each part has a prefix (`=` for the object, `+` for a folder), so `a` and `a/b` exist together and
no name is a device or begins with a dot. What is not a lower-case letter, digit, `_`, `.` or `-`
is written as %xx of its UTF-8: case and unicode twins are different names everywhere.
"""

from __future__ import annotations

import re

from .._base.keys import RESERVED, check_key

LONG = f"{RESERVED}/long"
_MOST = 200  # characters of a relative path: Windows takes 260 in all

PLAIN_LENGTH = 90  # with two characters more for each part, a path is still short enough
PLAIN = re.compile(r"(?!\.shared(?:/|$))(?:[a-z0-9_.-]++(?<!\.)/)*+[a-z0-9_.-]++(?<!\.)")
_UNSAFE = re.compile(rb"[^a-z0-9_.-]|\.$")


def locate(key: str) -> str:
    """Return the relative path of a key's file; the errors are those of `check_key`."""
    if type(key) is str and len(key) <= PLAIN_LENGTH and PLAIN.fullmatch(key):
        head, slash, name = key.rpartition("/")
        return f"+{head.replace('/', '/+')}/={name}" if slash else f"={name}"
    *folders, name = map(encode, check_key(key).split("/"))
    path = "/".join([*(f"+{folder}" for folder in folders), f"={name}"])
    if len(path) <= _MOST:
        return path
    import hashlib

    return f"{LONG}/{hashlib.sha256(key.encode()).hexdigest()}"


def is_long(path: str) -> bool:
    """Whether a path does not show its key."""
    return path.startswith(LONG)


def encode(part: str) -> str:
    """Return a part of a key as the name of a file, without prefix."""
    return _UNSAFE.sub(lambda match: b"%%%02x" % match[0][0], part.encode()).decode()


def decode(name: str) -> str | None:
    """Return the part of a key; None for a name that is not ours."""
    from urllib.parse import unquote_to_bytes

    try:
        part = unquote_to_bytes(name[1:]).decode()
    except UnicodeDecodeError:
        return None
    return part if encode(part) == name[1:] else None
