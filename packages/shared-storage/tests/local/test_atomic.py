"""Files that are replaced as a whole."""

import os
from typing import Any

import pytest

from shared.storage import atomic_write


def test_nothing_shows_before_the_end(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with atomic_write(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
        file.seek(0)
        file.write(b"N")
    assert path.read_bytes() == b"New"
    with atomic_write(path, "w", newline="\r\n", encoding="latin-1") as text:
        text.write("ü\n")
    assert path.read_bytes() == b"\xfc\r\n"
    assert os.listdir(tmp_path) == ["a"]


def test_an_error_in_the_block_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), atomic_write(path) as file:
        file.write(b"new")
        1 / 0  # noqa: B018 - it raises
    with pytest.raises(KeyboardInterrupt), atomic_write(path, "w") as text:
        text.write("new")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_a_file_that_is_closed_in_the_block(tmp_path):
    with atomic_write(tmp_path / "a") as file:
        file.write(b"new")
        file.close()
    assert (tmp_path / "a").read_bytes() == b"new"


def test_only_a_new_file(tmp_path):
    path = tmp_path / "a"
    with atomic_write(path, "xb") as file:
        file.write(b"1")
    with pytest.raises(FileExistsError), atomic_write(path, "x") as text:
        text.write("2")
    assert path.read_bytes() == b"1"
    with pytest.raises(FileExistsError), atomic_write(tmp_path / "b", "xb") as file:
        (tmp_path / "b").write_bytes(b"another's")  # meanwhile
        file.write(b"mine")
    assert (tmp_path / "b").read_bytes() == b"another's"
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_writers_at_once_have_their_own_files(tmp_path):
    path = tmp_path / "a"
    with atomic_write(path) as one, atomic_write(path) as two:
        one.write(b"one")
        two.write(b"two")
        assert len(os.listdir(tmp_path)) == 2
    assert path.read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["a"]


def test_a_planted_file_is_not_written_to(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / ".a.0.tmp").symlink_to(victim)
    with atomic_write(tmp_path / "a") as file:
        file.write(b"new")
    assert victim.read_bytes() == b"precious"
    assert (tmp_path / "a").read_bytes() == b"new"
    assert not (tmp_path / "a").is_symlink()


def test_long_and_odd_names(tmp_path):
    for name in ("x" * 255, "ü" * 120, " a ", "-", ".hidden", "a\nb", "*"):
        with atomic_write(tmp_path / name) as file:
            file.write(name.encode())
        assert (tmp_path / name).read_bytes() == name.encode()
    assert len(os.listdir(tmp_path)) == 7


def test_arguments(tmp_path):
    modes: list[Any] = ["r", "a", "w+", "", 5]
    for mode in modes:
        with pytest.raises(ValueError, match="mode must be"):
            atomic_write(tmp_path / "a", mode)
    with pytest.raises(TypeError, match="path must be a path"):
        atomic_write(5, "w")  # type: ignore[call-overload]
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "none/a"):
        pass
    assert os.listdir(tmp_path) == []
