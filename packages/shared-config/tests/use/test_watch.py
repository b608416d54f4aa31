"""Reload: all values at one moment, the last good ones kept, callbacks that cannot do harm."""

import logging
import sys
import threading
from datetime import timedelta

import pytest

from shared.config import (
    ConfigChange,
    ConfigurationError,
    Secret,
    Settings,
    Watcher,
    load_settings,
    on_config_change,
    watch,
)

SLOW = 3600  # seconds: these tests look themselves


class App(Settings):
    first: int = 0
    second: int = 0
    api_token: Secret | None = None


@pytest.fixture
def dotenv(tmp_path):
    path = tmp_path / ".env"
    path.write_text("FIRST=1\nSECOND=1\nLOG_LEVEL=INFO\n")
    return path


@pytest.fixture
def app(dotenv):
    return load_settings(App, env={}, dotenv=dotenv, secrets_dir=None)


@pytest.fixture
def changes():
    seen: list[ConfigChange] = []
    remove = on_config_change(seen.append)
    yield seen
    remove()


def test_a_change_is_taken_over_and_told(app, dotenv, changes):
    with watch(dotenv, app, interval=SLOW) as watcher:
        before = app.logging
        dotenv.write_text("FIRST=2\nSECOND=1\nLOG_LEVEL=DEBUG\n")
        assert watcher.check()
        assert not watcher.check()
    assert (app.first, app.logging.level) == (2, "DEBUG")
    assert before.level == "INFO"  # what somebody holds stays
    (change,) = changes
    assert change.changed == ("logging.level", "first")
    assert (change.old.first, change.new.first) == (1, 2)
    assert change.new is app


def test_a_bad_file_keeps_the_last_good_values(app, dotenv, changes, caplog):
    with watch(dotenv, app, interval=SLOW) as watcher, caplog.at_level(logging.ERROR):
        dotenv.write_text("FIRST=many\nSECOND=5\nAPI_TOKEN=mArKeR\n")
        assert watcher.check()
        assert (app.first, app.second) == (1, 1)
        assert "FIRST: 'many' is not a whole number" in str(watcher.error)
        assert "FIRST" in caplog.text
        assert "mArKeR" not in caplog.text
        assert changes == []
        dotenv.write_text("FIRST=3\nSECOND=5\n")
        watcher.check()
        assert watcher.error is None
    assert (app.first, app.second) == (3, 5)


def test_reload_by_hand_raises(app, dotenv):
    with watch(dotenv, app, interval=SLOW) as watcher:
        dotenv.write_text("FIRST=many\n")
        with pytest.raises(ConfigurationError, match="FIRST"):
            watcher.reload()
        assert app.first == 1
        dotenv.write_text("FIRST=9\n")
        change = watcher.reload()
        assert change is not None
        assert change.changed == ("first", "second")
        assert watcher.reload() is None


def test_the_environment_and_arguments_still_win(dotenv):
    app = load_settings(App, env={"FIRST": "7"}, dotenv=dotenv, second=8)
    with watch(dotenv, app, interval=SLOW) as watcher:
        dotenv.write_text("FIRST=2\nSECOND=2\nLOG_LEVEL=ERROR\n")
        watcher.check()
    assert (app.first, app.second, app.logging.level) == (7, 8, "ERROR")


def test_a_secrets_folder_whose_link_kubernetes_swaps(tmp_path, dotenv, changes):
    for version, token in (("..1", "old"), ("..2", "new")):
        (tmp_path / version).mkdir()
        (tmp_path / version / "API_TOKEN").write_text(token)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "API_TOKEN").symlink_to("..data/API_TOKEN")
    app = load_settings(App, env={}, dotenv=dotenv, secrets_dir=None)
    with watch(tmp_path, app, interval=SLOW) as watcher:
        assert app.api_token == Secret("old")
        (tmp_path / "..tmp").symlink_to("..2")
        (tmp_path / "..tmp").replace(tmp_path / "..data")
        assert watcher.check()
    assert app.api_token == Secret("new")
    assert app.first == 1  # the .env file is still there
    assert changes[-1].changed == ("api_token",)


def test_a_callback_that_fails_disturbs_nobody(app, dotenv, changes, caplog):
    def fail(change):
        raise RuntimeError("mine")

    remove = on_config_change(fail)
    also: list[ConfigChange] = []
    remove_also = on_config_change(also.append)
    with watch(dotenv, app, interval=SLOW) as watcher:
        dotenv.write_text("FIRST=2\n")
        watcher.check()
        remove()
        remove_also()
        remove()  # twice is harmless
        dotenv.write_text("FIRST=3\n")
        watcher.check()
    assert app.first == 3
    assert len(also) == 1
    assert len(changes) == 2
    assert caplog.text.count("a callback of a reload failed") == 1
    with pytest.raises(TypeError, match="callback must be callable, not 5"):
        on_config_change(5)  # type: ignore[arg-type]


def test_the_thread_looks_by_itself(app, dotenv):
    changed = threading.Event()
    remove = on_config_change(lambda change: changed.set())
    with watch(dotenv, app, interval=0.01):
        dotenv.write_text("FIRST=2\n")
        assert changed.wait(10)
    remove()
    assert app.first == 2
    assert not any("shared.config watch" in thread.name for thread in threading.enumerate())


def test_the_global_settings_reload(monkeypatch, tmp_path):
    import shared.config._settings.settings as module

    monkeypatch.chdir(tmp_path)
    lazy = module._Unloaded.__new__(module._Unloaded)
    file = tmp_path / "production.env"
    file.write_text("AGENT_PORT=1\n")
    with watch(file, lazy, interval=SLOW) as watcher:
        assert isinstance(watcher, Watcher)
        assert lazy.agent.port == 1
        file.write_text("AGENT_PORT=2\n")
        watcher.check()
        assert lazy.agent.port == 2
        assert type(lazy) is Settings


def test_a_file_that_goes_and_comes_back(app, dotenv):
    with watch(dotenv, app, interval=SLOW) as watcher:
        dotenv.unlink()
        watcher.check()
        assert app.first == 0
        dotenv.write_text("FIRST=4\n")
        watcher.check()
        assert app.first == 4


def test_no_torn_read_under_reloads(app, dotenv):
    """Both numbers are always the same in the file; a reader of one state sees them the same."""
    stop, wrong = threading.Event(), []
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5e-5)

    def read():
        while not stop.is_set():
            state = dict(app)  # one look at all fields
            if state["first"] != state["second"]:
                wrong.append((state["first"], state["second"]))

    readers = [threading.Thread(target=read) for _ in range(4)]
    with watch(dotenv, app, interval=SLOW) as watcher:
        for reader in readers:
            reader.start()
        for number in range(2, 60):
            dotenv.write_text(f"FIRST={number}\nSECOND={number}\n")
            watcher.check()
            assert app.first == app.second == number
        stop.set()
        for reader in readers:
            reader.join()
    sys.setswitchinterval(interval)
    assert wrong == []


@pytest.mark.parametrize("interval", [0, -1])
def test_an_interval_is_seconds(interval, app, dotenv):
    with pytest.raises(ValueError, match=r"interval must be a finite number above 0"):
        watch(dotenv, app, interval=interval)


async def later(change):
    pass


def steps(change):
    yield


@pytest.mark.parametrize("callback", [later, steps, 3])
def test_a_callback_that_would_do_nothing_is_refused(callback):
    with pytest.raises(TypeError, match=r"callback must be .*, not"):
        on_config_change(callback)


@pytest.mark.parametrize("interval", [0, -1, float("nan"), float("inf"), None, "5"])
def test_a_wrong_interval_is_refused(interval, tmp_path):
    with pytest.raises((TypeError, ValueError), match="interval must be a finite number above 0"):
        watch(tmp_path / ".env", load_settings(env={}, dotenv=None), interval=interval)


@pytest.mark.parametrize("interval", [timedelta(seconds=5), 1e300])
def test_other_intervals_are_served(interval, tmp_path):
    with watch(tmp_path / ".env", load_settings(env={}, dotenv=None), interval=interval) as one:
        assert one._thread is not None
        assert one._thread.is_alive()
