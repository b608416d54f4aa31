"""A lock whose task is cancelled is free, wherever the cancellation comes."""

import asyncio

import pytest

from shared.db import AsyncDatabaseConnections, DatabaseConnections, LockTimeout, Unavailable


async def held(db, kind, name):
    if kind == "advisory":
        return db.postgres.advisory_lock(name, timeout=2)
    return db.lock(name, ttl=30, backend=kind, timeout=2)


@pytest.mark.parametrize("kind", ["redis", "postgres", "advisory"])
async def test_a_cancellation_at_any_step_leaves_the_lock_free(
    redis_settings, postgres_settings, kind
):
    async with AsyncDatabaseConnections.from_settings([redis_settings, postgres_settings]) as db:
        async with await held(db, kind, "job"):
            pass
        for step in range(1, 60):  # cancelled after one step of the loop, after two, ...
            entered, leave = asyncio.Event(), asyncio.Event()

            async def work(entered=entered, leave=leave):
                async with await held(db, kind, "job"):
                    entered.set()
                    await leave.wait()

            task = asyncio.create_task(work())
            await entered.wait()
            leave.set()
            for _ in range(step):
                await asyncio.sleep(0)
            finished = not task.cancel()
            await asyncio.wait((task,))
            async with await held(db, kind, "job"):  # in time: it is not held
                pass
            if finished:
                break
        assert step > 1
        assert db.snapshot()["postgres" if kind != "redis" else "redis"]["in_use"] == 0


@pytest.mark.parametrize("kind", ["redis", "postgres"])
async def test_two_cancellations_leave_it_free_too(redis_settings, postgres_settings, kind):
    async with AsyncDatabaseConnections.from_settings([redis_settings, postgres_settings]) as db:

        async def work(entered):
            async with await held(db, kind, "job"):
                entered.set()
                await asyncio.sleep(60)

        for steps in range(8):
            entered = asyncio.Event()
            task = asyncio.create_task(work(entered))
            await entered.wait()
            task.cancel()
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait((task,))
            assert task.cancelled()
            async with await held(db, kind, "job"):
                pass


async def test_a_cancelled_wait_leaves_nothing(redis_settings, postgres_settings):
    async with AsyncDatabaseConnections.from_settings([redis_settings, postgres_settings]) as db:
        for kind in ("redis", "postgres"):
            async with await held(db, kind, "job"):
                task = asyncio.create_task((await held(db, kind, "job")).__aenter__())
                await asyncio.sleep(0.05)
                task.cancel()
                await asyncio.wait((task,))
            async with await held(db, kind, "job"):
                pass
        assert db.snapshot()["postgres"]["in_use"] == 0


def test_a_wrong_password_is_told_at_once(redis_settings):
    with DatabaseConnections() as db:
        db.initialize_redis(**{**redis_settings, "password": "wrong"})
        with pytest.raises(Unavailable, match="refuses") as caught, db.lock("job", timeout=600):
            pass
        assert caught.value.lasting


@pytest.mark.parametrize("timeout", [float("nan"), -1, "5"])
def test_a_time_that_is_none_is_refused(db, timeout):
    with pytest.raises((TypeError, ValueError), match="timeout must be"):
        db.lock("job", timeout=timeout)


def test_times_may_be_unlimited_or_zero(db):
    from datetime import timedelta

    for timeout in (None, float("inf"), timedelta(seconds=5), 5):
        with (
            db.lock("job", ttl=timedelta(seconds=5), timeout=timeout),
            pytest.raises(LockTimeout),
            db.lock("job", timeout=0),
        ):
            pass
