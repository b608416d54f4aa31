"""What is known of a file: its extension, type, size and hash."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from shared.core.checks import refuse

if TYPE_CHECKING:
    from collections.abc import Generator

_COMPRESSED = {".gz", ".bz2", ".xz", ".zst", ".lz4", ".lzma", ".br", ".z"}
_UNKNOWN = "application/octet-stream"
_ZIP = b"PK\x03\x04"
_MORE_TYPES = {  # not known to every version of mimetypes
    ".js": "text/javascript",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".toml": "application/toml",
    ".webp": "image/webp",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}


def get_file_extension(path: str | os.PathLike[str], *, full: bool = False) -> str:
    """Return the extension of a file's name, with its dot; "" if it has none.

    Args:
        path: The path; the file need not exist.
        full: Whether that of a compressed file includes what is compressed.

    Example:
        >>> get_file_extension("archive.tar.gz"), get_file_extension("archive.tar.gz", full=True)
        ('.gz', '.tar.gz')
        >>> get_file_extension("photo.2026.JPG", full=True), get_file_extension(".bashrc")
        ('.JPG', '')
    """
    stem, last = os.path.splitext(_path(path))
    if full and last.lower() in _COMPRESSED:
        before = os.path.splitext(stem)[1]
        if before[1:].isalnum() and not before[1:].isdigit():
            return before + last
    return last


def get_file_mime_type(path: str | os.PathLike[str]) -> str:
    """Return the media type of a file, by its content first, then by its name.

    The content is looked at with the extra `types`; without it, and for plain text, the name
    decides. A file that does not exist is judged by its name.

    Returns:
        A type such as `image/png`; `application/octet-stream` if it is unknown.

    Example:
        >>> get_file_mime_type("report.pdf")
        'application/pdf'
    """
    name = _path(path)
    by_name = _by_name(name)
    try:
        with open(name, "rb") as file:
            head = file.read(4096)
    except FileNotFoundError:
        return by_name or _UNKNOWN
    is_text = _is_text(head)
    found = _by_content(name, is_text=is_text) if head else []
    for one in found:
        if by_name is not None and one.replace("/x-", "/") == by_name.replace("/x-", "/"):
            return by_name  # of several that fit, and of several spellings
    if found:
        return found[0]
    return by_name or ("text/plain" if is_text and head else _UNKNOWN)


def get_file_size(path: str | os.PathLike[str]) -> int:
    """Return the size of a file, in bytes.

    Raises:
        OSError: There is none, or it is a folder.

    Example:
        >>> with temporary_directory() as folder:
        ...     _ = (folder / "a").write_bytes(b"12345")
        ...     get_file_size(folder / "a")
        5
    """
    name = _path(path)
    if os.path.isdir(name):
        raise IsADirectoryError(name)
    return os.stat(name).st_size


def file_hash(path: str | os.PathLike[str], algorithm: str = "sha256") -> str:
    """Return the hash of a file's content in hexadecimal; it is read piece by piece.

    Args:
        path: The file.
        algorithm: A name of `hashlib` whose hashes have a fixed length.

    Raises:
        ValueError: There is no such algorithm.
        OSError: The file cannot be read.

    Example:
        >>> with temporary_directory() as folder:
        ...     _ = (folder / "a").write_bytes(b"abc")
        ...     file_hash(folder / "a", "md5")
        '900150983cd24fb0d6963f7d28e17f72'
    """
    if algorithm not in hashlib.algorithms_available or algorithm.startswith("shake"):
        allowed = ", ".join(sorted(a for a in hashlib.algorithms_guaranteed if "shake" not in a))
        raise refuse("algorithm", f"one of {allowed}", algorithm)
    with open(_path(path), "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


@contextmanager
def temporary_directory(
    prefix: str = "shared-", *, parent: str | os.PathLike[str] | None = None
) -> Generator[Path]:
    """Make a folder that goes with the block, or at the latest with the interpreter.

    Args:
        prefix: The beginning of its name.
        parent: Where to make it; None for the system's place.

    Example:
        >>> with temporary_directory() as folder:
        ...     folder.is_dir()
        True
        >>> folder.exists()
        False
    """
    import tempfile

    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as name:
        yield Path(name)


def _path(path: str | os.PathLike[str]) -> str:
    if not isinstance(path, (str, os.PathLike)):
        raise refuse("path", "a path", path, TypeError)
    return os.fspath(path)


def _by_name(name: str) -> str | None:
    import mimetypes

    extension = os.path.splitext(name)[1].lower()
    if extension in _MORE_TYPES:
        return _MORE_TYPES[extension]
    found, encoding = mimetypes.MimeTypes().guess_type(
        f"x{get_file_extension(name, full=True)}", strict=False
    )
    return f"application/{encoding}" if encoding else found


def _by_content(name: str, *, is_text: bool) -> list[str]:
    """Return the types whose marks are in the content, the best first."""
    try:
        import puremagic
    except ImportError:
        return []
    try:
        found = puremagic.magic_file(name)
    except (ValueError, puremagic.PureError):
        return []
    found = [one for one in found if one.mime_type and len(one.byte_match or b"") > 2]
    if found and all(one.byte_match == _ZIP for one in found):
        # An archive, or one of fifty kinds that are one; puremagic is sure only if the name fits.
        return [found[0].mime_type if found[0].confidence > 0.5 else "application/zip"]
    types = [one.mime_type for one in found]
    if is_text:  # words that begin a text say little
        types = [one for one in types if not one.startswith(("text/x-", "text/plain"))]
    return types


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head[:-3].decode()  # a character may be cut
    except UnicodeDecodeError:
        return False
    return True
