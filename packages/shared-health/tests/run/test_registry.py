"""Health: what may be added, what the groups say, what runs where."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import threading
import time
from datetime import timedelta
from typing import Any

import pytest

from shared.health import CheckResult, Health, HealthCheck, HealthStatus, Heartbeat


@pytest.fixture
def health():
    health = Health("orders", "1.0")
    yield health
    health.stop()


def hang(runs, gate):
    runs.append(1)
    gate.wait(60)


def status(health, group="ready"):
    return health.report(group).status


def test_a_dependency_does_not_belong_in_live(health):
    with pytest.raises(ValueError, match="a restart does not cure a dependency"):
        health.add("db", lambda: None, groups=("live",))
    health.add("db", lambda: None, groups=("live",), allow_dependency=True)
    health.add("worker", Heartbeat(30), groups=("live",))
    assert [c.name for c in health.report("live").checks] == ["db", "worker"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"timeout": 0}, "timeout must be a finite number above 0, not 0"),
        ({"interval": -1}, "interval must be"),
        ({"interval": float("nan")}, "interval must be"),
        ({"initial_delay": -1}, "initial_delay must be a finite number of at least 0, not -1"),
        ({"fail_after": 0}, "fail_after must be a whole number of at least 1, not 0"),
        ({"pass_after": 1.5}, "pass_after must be"),
        ({"stale_after": 0}, "stale_after must be"),
        ({"groups": ()}, "groups must be at least one name"),
        ({"groups": ("a/b",)}, "a group must be a word"),
    ],
)
def test_wrong_settings_are_named(health, settings, message):
    with pytest.raises(ValueError, match=message):
        health.add("x", lambda: None, **settings)
    assert health.report().checks == ()


@pytest.mark.parametrize(
    ("name", "fn", "settings", "kind", "message"),
    [
        ("x", 3, {}, TypeError, "the check 'x' must be callable, not 3"),
        ("x", print, {"groups": "ready"}, TypeError, "groups must be a tuple of names"),
        (" ", print, {}, ValueError, "name must be a text that is not empty"),
        (3, print, {}, TypeError, "name must be a string, not 3"),
        ("taken", print, {}, ValueError, "'taken' is registered already"),
        ("x", print, {"timeout": "1"}, TypeError, "timeout must be a finite number above 0"),
    ],
)
def test_wrong_kinds_are_named(health, name, fn, settings, kind, message):
    health.add("taken", lambda: None)
    with pytest.raises(kind, match=message):
        health.add(name, fn, **settings)
    assert [c.name for c in health.report().checks] == ["taken"]


def test_an_empty_token_is_refused():
    with pytest.raises(ValueError, match="token must not be empty"):
        Health(token="")


def test_settings_are_named():
    with pytest.raises(TypeError, match="positional argument"):
        Health().add("x", lambda: None, ("ready",))  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (None, HealthStatus.HEALTHY),
        (True, HealthStatus.HEALTHY),
        (False, HealthStatus.UNHEALTHY),
        (HealthStatus.DEGRADED, HealthStatus.DEGRADED),
        ("degraded", HealthStatus.DEGRADED),
        (CheckResult(HealthStatus.UNHEALTHY, "x"), HealthStatus.UNHEALTHY),
        ((HealthStatus.DEGRADED, "slow"), HealthStatus.DEGRADED),
        (type("Ping", (), {"ok": False, "error": "down"})(), HealthStatus.UNHEALTHY),
        (3, HealthStatus.UNHEALTHY),
        ("fine", HealthStatus.UNHEALTHY),
    ],
)
def test_what_a_check_may_return(health, returned, expected):
    health.add("x", lambda: returned)

    async def later():
        await asyncio.sleep(0)
        return returned

    health.add("y", later)
    health.refresh()
    assert [c.status for c in health.report().checks] == [expected] * 2


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), KeyboardInterrupt()])
def test_whatever_a_check_raises_it_goes_on(health, error):
    def check():
        raise error

    health.add("x", check)
    health.refresh()
    health.refresh()
    (view,) = health.report().checks
    assert view.status is HealthStatus.UNHEALTHY
    assert view.error.startswith(type(error).__name__)
    assert view.failures == 2


def test_groups_and_startup_latch():
    answers = {"migrated": False, "db": True}
    health = Health("orders")
    health.add("migrated", lambda: answers["migrated"], groups=("startup",), interval=0.01)
    health.add("db", lambda: answers["db"], fail_after=1)
    health.add("batch", lambda: False, groups=("nightly",))
    with health:
        health.refresh()
        assert not status(health, "startup").ok
        assert not status(health, "ready").ok, "not ready before it has started"
        assert status(health, "live").ok
        assert not status(health, "nightly").ok
        with pytest.raises(KeyError):
            health.report("unknown")
        assert health.groups == ("live", "nightly", "ready", "startup")
        answers["migrated"] = True
        health.refresh()
        assert status(health, "startup").ok
        assert status(health, "ready").ok
        answers.update(migrated=False, db=False)
        health.refresh()
        assert status(health, "startup").ok, "start-up is done once and for all"
        assert not status(health, "ready").ok
        assert status(health, "live").ok, "all dependencies down: no reason for a restart"


def test_started_by_hand_and_failed_for_good():
    health = Health(started=False)
    assert not status(health, "startup").ok
    assert health.report("ready").state == "starting"
    health.mark_started()
    assert status(health, "startup").ok
    health.fail("the GPU is gone, password=x")
    assert not status(health, "live").ok
    assert health.report("live").reason == "the GPU is gone, password=[REDACTED]"


def test_an_async_check_runs_on_the_loop_that_it_was_added_on():
    loops = []

    async def check():
        loops.append(asyncio.get_running_loop())

    async def main():
        health = Health()
        health.add("x", check)
        await asyncio.to_thread(health.refresh)
        health.stop()
        assert loops == [asyncio.get_running_loop()]

    asyncio.run(main())


def test_an_async_check_without_a_loop_keeps_one_of_its_own(health):
    loops = set()

    async def check():
        loops.add(id(asyncio.get_running_loop()))

    health.add("x", check)
    health.refresh()
    health.refresh()
    assert len(loops) == 1


@pytest.mark.parametrize("on_loop", [True, False])
async def test_a_hung_async_check_is_cancelled_and_runs_again(on_loop, eventually):
    calls = []
    cancelled = threading.Event()

    async def check():
        calls.append(1)
        if len(calls) == 1:
            try:
                await asyncio.sleep(60)
            finally:
                cancelled.set()

    health = Health()
    settings: Any = {"timeout": 0.2, "interval": 0.2}
    if on_loop:
        health.add("x", check, **settings)
    else:
        await asyncio.to_thread(lambda: health.add("x", check, **settings))
    await asyncio.to_thread(health.refresh)
    await asyncio.to_thread(cancelled.wait, 10)
    await asyncio.to_thread(eventually, "ready", lambda: status(health).ok)
    assert health.report().checks[0].history[0][1] is HealthStatus.UNHEALTHY
    await asyncio.to_thread(health.stop)


def test_the_number_of_threads_is_constant(gate, eventually):
    health = Health()
    before = threading.active_count()
    runs: list[int] = []
    for i in range(5):
        health.add(f"hung {i}", lambda: hang(runs, gate), timeout=0.02, interval=0.02)
    health.add("fine", lambda: None, interval=0.01)
    with health:
        eventually(
            "each hung one failed often",
            lambda: all(c.failures > 3 for c in health.report().checks if c.name != "fine"),
        )
        assert threading.active_count() == before + 6 + 1
        assert len(runs) == 5, "one in flight each"
        gate.set()
        eventually("ready", lambda: status(health).ok)
    eventually("no thread is left", lambda: threading.active_count() == before)


def test_stop_and_start_again_while_one_hangs(gate, eventually):
    health = Health()
    runs: list[int] = []
    health.add("hung", lambda: hang(runs, gate), timeout=0.01, interval=0.01)
    health.start()
    eventually("a run", lambda: runs)
    health.stop()
    health.start()
    time.sleep(0.05)
    assert len(runs) == 1
    gate.set()
    eventually("a second run", lambda: len(runs) > 1)
    health.stop()


def test_a_jump_of_the_wall_clock_changes_nothing(monkeypatch, eventually):
    health = Health()
    runs = []
    heart = Heartbeat(30)
    health.add("x", lambda: runs.append(1), interval=0.02, stale_after=5)
    health.add("worker", heart)
    with health:
        health.refresh()
        for jump in (1e8, -1e8):
            monkeypatch.setattr(time, "time", lambda jump=jump: 1.8e9 + jump)
            count = len(runs)
            assert status(health).ok
            view = health.report().checks[0]
            assert view.checked_ago is not None
            assert view.checked_ago < 5
            eventually("three more runs", lambda count=count: len(runs) >= count + 3)


def test_changes_are_logged_and_told(health, caplog):
    caplog.set_level(logging.INFO, "shared.health")
    answers = [True]
    told = []
    health.on_change(lambda *change: told.append(change))
    health.on_change(lambda *_: 1 / 0)
    health.add("db", lambda: answers[0], fail_after=1)
    health.refresh()
    answers[0] = False
    health.refresh()
    health.refresh()
    assert told == [
        ("db", None, HealthStatus.HEALTHY),
        ("db", HealthStatus.HEALTHY, HealthStatus.UNHEALTHY),
    ]
    lines = [r.getMessage() for r in caplog.records if r.exc_info is None]
    assert lines == [
        "check db: unknown -> healthy",
        "check db: healthy -> unhealthy: check returned False",
    ]


def test_a_check_class_and_its_name(health):
    class QueueDepthHealthCheck(HealthCheck):
        groups = ("ready", "nightly")
        interval = 5

        async def check(self):
            return HealthStatus.DEGRADED

    health.add_check(QueueDepthHealthCheck())
    health.refresh()
    (view,) = health.report("nightly").checks
    assert (view.name, view.status) == ("queue_depth", HealthStatus.DEGRADED)
    with pytest.raises(NotImplementedError, match="HealthCheck must override"):
        HealthCheck().check()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_worker_runs_its_own_checks(python):
    assert (
        python("""
        import os
        from shared.health import Health

        runs = []
        health = Health()
        health.add("x", lambda: runs.append(os.getpid()))
        with health:
            health.refresh()
            child = os.fork()
            if child == 0:
                health.refresh(timeout=10)
                os._exit(0 if os.getpid() in runs and health.report("ready").status.ok else 1)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """)
        == "0\n"
    )


def test_a_check_can_be_removed_and_replaced(health, eventually):
    ran = []
    changes = []
    health.on_change(lambda *change: changes.append(change))
    health.add("db", lambda: ran.append("old"), interval=0.01)
    health.add("cache", lambda: None)
    health.refresh()
    health.add("db", lambda: False, groups=("nightly",), replace=True)
    health.refresh()
    assert [c.name for c in health.report().checks] == ["db", "cache"]
    assert status(health, "nightly") is HealthStatus.UNHEALTHY
    new = ("db", None, HealthStatus.UNHEALTHY)
    eventually("the listener hears of the new one", lambda: new in changes)

    def threads():
        return [t.name for t in threading.enumerate()].count("health-check:db")

    eventually("the thread of the old one ends", lambda: threads() == 1)
    ran.clear()
    health.remove("db")
    assert [c.name for c in health.report().checks] == ["cache"]
    assert "nightly" not in health.groups
    eventually("the thread of the new one ends", lambda: threads() == 0)
    health.refresh()
    assert ran == []
    with pytest.raises(KeyError, match="no check is named 'db'; named: cache"):
        health.remove("db")
    health.add("db", lambda: True)  # the name is free
    health.refresh()
    assert status(health) is HealthStatus.HEALTHY


def test_a_hung_check_can_be_removed_and_what_it_returns_does_not_count(health, gate, eventually):
    changes = []
    health.on_change(lambda *change: changes.append(change))
    health.add("hung", lambda: gate.wait(60) and False, timeout=3600)
    health.start()
    waiting = threading.Thread(target=health.refresh)
    waiting.start()
    health.remove("hung")
    waiting.join(30)
    assert not waiting.is_alive()
    assert status(health) is HealthStatus.HEALTHY
    gate.set()
    health.add("hung", lambda: True)
    health.refresh()
    eventually("the new one is heard of", lambda: changes)
    assert changes == [("hung", None, HealthStatus.HEALTHY)]


def generator():
    yield True


async def async_generator():
    yield True


async def listener(name, before, after):
    pass


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (generator, "must be a function that returns, not one that yields"),
        (async_generator, "must be a function that returns, not one that yields"),
        (lambda client: client, "must be callable with no arguments"),
        (HealthCheck.check, "must be callable with no arguments"),
    ],
)
def test_what_could_not_run_is_refused_at_once(health, fn, message):
    with pytest.raises(TypeError, match=f"the check 'x' {message}, not"):
        health.add("x", fn)
    with pytest.raises(TypeError, match=message):
        health.check("x")(fn)


@pytest.mark.parametrize("fn", [listener, lambda name: None, generator, 3])
def test_a_listener_that_could_not_run_is_refused_at_once(health, fn):
    with pytest.raises(TypeError, match=r"a listener must be .*, not"):
        health.on_change(fn)


class Kinds:
    async def __call__(self):
        return True

    @classmethod
    async def of_class(cls):
        return True

    @staticmethod
    def static():
        return True

    async def method(self):
        return True


def test_every_kind_that_returns_is_served(health):
    kinds = Kinds()
    for number, fn in enumerate(
        [
            kinds,
            Kinds.of_class,
            Kinds.static,
            kinds.method,
            functools.partial(kinds.method),
            lambda: kinds.method(),  # noqa: PLW0108 - a lambda that returns a coroutine
        ]
    ):
        health.add(f"kind {number}", fn)
    health.check(functools.partial(Kinds.static))
    health.refresh()
    assert [c.status for c in health.report().checks] == [HealthStatus.HEALTHY] * 7
    assert health.report().checks[-1].name == "Kinds.static"


NAN = float("nan")


@pytest.mark.parametrize("bad", [-1, NAN, "5", True])
def test_a_wrong_time_is_refused_by_every_method(health, bad):
    for call in (health.refresh, health.wait_first, health.stop, health.start_draining):
        with pytest.raises((ValueError, TypeError), match=r"must be a.*number of at least 0, not"):
            call(bad)
    for call in (health.wait_first, health.stop):
        with pytest.raises(TypeError, match="timeout must be a number of at least 0, not None"):
            call(None)


@pytest.mark.parametrize("long", [float("inf"), 1e300, 1e10, timedelta.max])
def test_long_times_are_served(health, long):
    health.add("x", lambda: True)
    health.refresh(long)
    assert health.wait_first(long)
    if long != float("inf"):
        health.start_draining(long)
        health.add("y", lambda: True, interval=long, timeout=long, initial_delay=long)
        health.refresh()
        assert [c.status for c in health.report().checks] == [HealthStatus.HEALTHY] * 2
    health.stop(long)


def test_an_async_check_outlives_the_loop_that_it_was_added_on(health):
    async def check():
        await asyncio.sleep(0)
        return True

    async def add():
        health.add("x", check)

    asyncio.run(add())
    health.refresh()
    assert status(health) is HealthStatus.HEALTHY


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_fork_while_threads_use_it(python):
    assert (
        python("""
        import os, threading, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from prometheus_client import CollectorRegistry, generate_latest
        from shared.health import Health
        from shared.health._web import metrics

        health = Health()
        health.add("x", lambda: True, interval=0.001)
        stop = threading.Event()

        def use():
            while not stop.is_set():
                health.report()
                with metrics._lock:
                    pass

        threads = [threading.Thread(target=use) for _ in range(3)]
        with health:
            for thread in threads:
                thread.start()
            codes = set()
            for _ in range(20):
                child = os.fork()
                if child == 0:
                    health.refresh(timeout=30)
                    registry = CollectorRegistry()
                    health.instrument(prometheus=registry)
                    good = b'health_ready{service="service"} 1.0' in generate_latest(registry)
                    os._exit(0 if good else 1)
                codes.add(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            stop.set()
            for thread in threads:
                thread.join()
        print(codes)
        """)
        == "{0}\n"
    )
