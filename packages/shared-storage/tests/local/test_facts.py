"""Extension, type, size and hash."""

import hashlib
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from shared.storage import (
    file_hash,
    get_file_extension,
    get_file_mime_type,
    get_file_size,
    temporary_directory,
)

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(100)


@pytest.mark.parametrize(
    ("name", "short", "full"),
    [
        ("a.txt", ".txt", ".txt"),
        ("archive.tar.gz", ".gz", ".tar.gz"),
        ("/some.dir/archive.tar.BZ2", ".BZ2", ".tar.BZ2"),
        ("data.csv.zst", ".zst", ".csv.zst"),
        ("photo.2026.jpg", ".jpg", ".jpg"),
        ("backup.2026.gz", ".gz", ".gz"),
        ("v1.2.tar.xz", ".xz", ".tar.xz"),
        (".bashrc", "", ""),
        (".config.json", ".json", ".json"),
        ("noextension", "", ""),
        ("a.b/c", "", ""),
        ("a.", ".", "."),
        ("", "", ""),
        (".gz", "", ""),
    ],
)
def test_extensions(name, short, full):
    assert get_file_extension(name) == short
    if name and not name.endswith("."):
        assert get_file_extension(Path(name)) == short
    assert get_file_extension(name, full=True) == full


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.png", PNG, "image/png"),
        ("lies.jpg", PNG, "image/png"),
        ("none", PNG, "image/png"),
        ("lies.txt", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf"),
        ("a.jpeg", b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(50), "image/jpeg"),
        ("a.gif", b"GIF89a" + bytes(50), "image/gif"),
        ("a.gz", b"\x1f\x8b\x08\0" + bytes(50), "application/gzip"),
        ("a.tar.gz", b"\x1f\x8b\x08\0" + bytes(50), "application/gzip"),
        ("a.json", b'{"a": 1}', "application/json"),
        ("a.csv", b"a,b\n1,2\n", "text/csv"),
        ("a.md", b"import the data, then\n", "text/markdown"),
        ("a.py", b"import os\n", "text/x-python"),
        ("a.txt", b"plain\n", "text/plain"),
        ("a.txt", b"BMW and others\n", "text/plain"),
        ("a.html", b"<!DOCTYPE html><html></html>", "text/html"),
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml"),
        ("a.yaml", b"a: 1\n", "application/yaml"),
        ("nothing", b"just words\n", "text/plain"),
        ("nothing", bytes(range(1, 256)), "application/octet-stream"),
        ("empty", b"", "application/octet-stream"),
        ("empty.txt", b"", "text/plain"),
    ],
)
def test_types_by_content_then_name(tmp_path, name, content, expected):
    (tmp_path / name).write_bytes(content)
    assert get_file_mime_type(tmp_path / name) == expected


def test_containers_that_look_alike(tmp_path):
    word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    part = f'<Override PartName="/word/document.xml" ContentType="{word}.main+xml"/>'
    for name, inside, expected in [
        ("a.zip", {"a.txt": "x"}, "application/zip"),
        ("b", {"a.txt": "x"}, "application/zip"),
        ("c.docx", {"[Content_Types].xml": part, "word/document.xml": "<x/>"}, word),
    ]:
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member, content in inside.items():
                archive.writestr(member, content)
        assert get_file_mime_type(tmp_path / name) == expected


def test_a_file_that_does_not_exist_is_judged_by_its_name():
    assert get_file_mime_type("none/a.webp") == "image/webp"
    assert get_file_mime_type("none/a.PNG") == "image/png"
    assert get_file_mime_type("none/a.tar.gz") == "application/gzip"
    assert get_file_mime_type("none/a") == "application/octet-stream"


def test_without_the_extra_the_name_decides(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "puremagic", None)
    (tmp_path / "a.jpg").write_bytes(PNG)
    assert get_file_mime_type(tmp_path / "a.jpg") == "image/jpeg"


def test_size_and_hash(tmp_path):
    content = bytes(range(256)) * 5000
    (tmp_path / "a").write_bytes(content)
    assert get_file_size(tmp_path / "a") == get_file_size(str(tmp_path / "a")) == len(content)
    assert file_hash(tmp_path / "a") == hashlib.sha256(content).hexdigest()
    assert file_hash(tmp_path / "a", "blake2b") == hashlib.blake2b(content).hexdigest()
    for algorithm in ("nope", "shake_128", ""):
        with pytest.raises(ValueError, match="algorithm must be one of"):
            file_hash(tmp_path / "a", algorithm)
    functions: list[Any] = [get_file_size, file_hash, get_file_mime_type]
    for fn in functions:
        with pytest.raises(IsADirectoryError):
            fn(tmp_path)
        with pytest.raises(TypeError, match="path must be a path"):
            fn(5)
    for fn in functions[:2]:
        with pytest.raises(FileNotFoundError):
            fn(tmp_path / "none")


def test_a_temporary_directory_goes(tmp_path):
    with pytest.raises(ZeroDivisionError), temporary_directory("x-", parent=tmp_path) as folder:
        assert folder.parent == tmp_path
        assert folder.name.startswith("x-")
        (folder / "a").mkdir()
        (folder / "a/b").write_bytes(b"")
        (folder / "a").chmod(0o500)
        1 / 0  # noqa: B018 - it raises
    assert list(tmp_path.iterdir()) == []
