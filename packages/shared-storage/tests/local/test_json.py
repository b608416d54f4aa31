"""Files of JSON: whole, where they were, with errors that say where."""

import os
import signal
import stat
import threading
from pathlib import Path

import pytest

from shared.storage import InvalidJSON, StorageError, load_json, save_json


def test_what_is_saved_is_loaded(tmp_path):
    data = {"name": "Zürich 😀", "list": [1, 2.5, None, True, 10**30], "half": "\ud800"}
    path = tmp_path / "a.json"
    save_json(data, path)
    assert load_json(path) == load_json(str(path)) == data
    assert path.read_text() == path.read_text().rstrip("\n") + "\n"
    assert os.listdir(tmp_path) == ["a.json"]


def test_both_orders_of_arguments(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_json({"a": 1}, "one.json")
    save_json("two.json", {"a": 2})
    save_json(Path("three"), ["a"])
    save_json("text", "four.json")
    save_json("five.json", "text")
    save_json("text", "six")
    save_json(data=None, path="seven.json")
    save_json("eight.json", None)
    found = {name: load_json(name) for name in os.listdir()}
    assert found == {
        "one.json": {"a": 1},
        "two.json": {"a": 2},
        "three": ["a"],
        "four.json": "text",
        "five.json": "text",
        "six": "text",
        "seven.json": None,
        "eight.json": None,
    }
    for arguments in (({}, 5), (5, {}), (None, None)):
        with pytest.raises(TypeError, match="path must be a path"):
            save_json(*arguments)
    with pytest.raises(TypeError, match="path must be a path"):
        load_json(5)  # type: ignore[arg-type]


def test_missing_folders_are_made(tmp_path):
    save_json([1], tmp_path / "a/b/c.json")
    assert load_json(tmp_path / "a/b/c.json") == [1]


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b'{\n  "a": 1,\n  "b": oops\n}', "line 3, column 8: Expecting value"),
        (b"", "line 1, column 1: Expecting value"),
        (b"[1, 2", "line 1, column 6: Expecting ',' delimiter"),
        (b'{"a": 1}\n{"b": 2}', "line 2, column 1: Extra data"),
        (b'["a",\n "\xff"]', "line 2, column 3: not utf-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"1" * 5000, "Exceeds the limit"),
    ],
    ids=["value", "empty", "cut", "two", "bytes", "deep", "long"],
)
def test_errors_name_file_line_and_column(tmp_path, content, where):
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(InvalidJSON) as caught:
        load_json(path)
    assert str(path) in str(caught.value)
    assert where in str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, StorageError)
    assert caught.value.name == str(path)


def test_every_encoding_of_json(tmp_path):
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"):
        (tmp_path / "a.json").write_bytes('{"ü": 1}'.encode(encoding))
        assert load_json(tmp_path / "a.json") == {"ü": 1}


@pytest.mark.parametrize("data", [object(), {1: {2}}, b"bytes", [float("nan")], float("inf")])
def test_what_is_no_json_leaves_the_old_file(tmp_path, data):
    path = tmp_path / "a.json"
    save_json("old", path)
    with pytest.raises((TypeError, InvalidJSON)):
        save_json(data, path)
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(InvalidJSON, match=r"a\.json: Circular"):
        save_json(circle, path)
    assert load_json(path) == "old"
    assert os.listdir(tmp_path) == ["a.json"]


def test_options(tmp_path):
    path = tmp_path / "a.json"
    save_json({"b": {1}, "a": 2}, path, indent=None, sort_keys=True, default=list)
    assert path.read_bytes() == b'{"a":2,"b":[1]}\n'


def test_a_link_stays_and_its_target_is_written(tmp_path):
    (tmp_path / "real").mkdir()
    save_json("old", tmp_path / "real/a.json")
    link, link2, dangling = tmp_path / "link.json", tmp_path / "link2.json", tmp_path / "new.json"
    link.symlink_to("real/a.json")
    link2.symlink_to("link.json")
    dangling.symlink_to("real/new.json")
    save_json("new", link2)
    save_json("made", dangling)
    assert link.is_symlink()
    assert link2.is_symlink()
    assert load_json(tmp_path / "real/a.json") == "new"
    assert load_json(tmp_path / "real/new.json") == "made"
    assert sorted(os.listdir(tmp_path / "real")) == ["a.json", "new.json"]


def test_the_mode_stays_and_a_new_file_obeys_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        path = tmp_path / "a.json"
        save_json(1, path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        save_json(2, path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o604
        path.chmod(0o400)
        save_json(3, path)
        assert (stat.S_IMODE(path.stat().st_mode), load_json(path)) == (0o400, 3)
    finally:
        os.umask(old)


def test_the_owner_stays(tmp_path):
    path = tmp_path / "a.json"
    save_json(1, path)
    if os.geteuid():
        pytest.skip("NOT TESTED HERE: only root gives files away")
    os.chown(path, 12345, 54321)
    save_json(2, path)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 54321)


def test_what_is_no_regular_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        save_json(1, tmp_path / "pipe")
    with pytest.raises(IsADirectoryError):
        save_json(1, tmp_path)
    with pytest.raises(FileNotFoundError):
        load_json(tmp_path / "none.json")
    assert os.listdir(tmp_path) == ["pipe"]


@pytest.mark.parametrize("turn", range(3))
def test_a_process_killed_while_saving_leaves_a_whole_file_and_no_litter_stays(run, tmp_path, turn):
    path = tmp_path / "data" / "a.json"
    save_json([0] * 20_000, path)
    writer = run(
        """
        import sys
        from shared.storage import save_json
        for number in range(1_000_000):
            save_json([number] * 20_000, sys.argv[1], fsync=False)
            if number % 5 == 4:
                print(number, flush=True)
        """,
        path,
    )
    for _ in range(2 + turn):
        writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    found = load_json(path)
    assert found == [found[0]] * 20_000
    assert found[0] >= 4
    save_json("next", path)
    assert os.listdir(path.parent) == ["a.json"]


def test_threads_that_save_one_file_leave_one_of_theirs(tmp_path):
    path = tmp_path / "a.json"

    def save(number):
        for _ in range(20):
            save_json([number] * 1000, path, fsync=False)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if path.exists():
            found = load_json(path)
            assert found == [found[0]] * 1000
    for thread in threads:
        thread.join()
    save_json("last", path)
    assert os.listdir(tmp_path) == ["a.json"]
