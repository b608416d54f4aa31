"""One holder at a time, and tokens that rise."""

import threading
import time

import pytest

from shared.db import (
    DatabaseConnections,
    LockTimeout,
)


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"ttl": 0}, "ttl must be a finite number above 0, not 0"),
        ({"backend": "etcd"}, "backend must be one of 'redis', 'postgres', not 'etcd'"),
    ],
)
def test_what_is_not_allowed_is_refused_where_it_is_given(db, options, refusal):
    with pytest.raises(ValueError, match=refusal):
        db.lock("job", **options)


def test_tokens_rise_and_a_lock_excludes(db):
    tokens = []
    for _ in range(5):
        with db.lock("job", ttl=5) as lock:
            tokens.append(lock.token)
            with pytest.raises(LockTimeout), db.lock("job", ttl=5, timeout=0.05):
                pass
    db.redis.flushdb()
    with db.lock("job", ttl=5) as lock:
        tokens.append(lock.token)
    assert tokens == sorted(set(tokens))


@pytest.mark.parametrize("backend", ["redis", "postgres"])
def test_many_contenders_one_holder(backend, redis_settings, postgres_settings):
    with DatabaseConnections.from_settings([redis_settings, postgres_settings]) as db:
        inside, tokens, most = [], [], []

        def work():
            for _ in range(5):
                with db.lock("shared", ttl=5, backend=backend, timeout=60) as lock:
                    inside.append(1)
                    most.append(len(inside))
                    tokens.append(lock.token)
                    time.sleep(0.001)
                    inside.pop()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(tokens) == 20
        assert max(most) == 1
        assert tokens == sorted(set(tokens))


def test_a_lock_is_renewed_while_its_block_runs(db):
    with db.lock("job", ttl=1.5) as lock:
        for _ in range(20):
            time.sleep(0.1)
            lock.check()
        with pytest.raises(LockTimeout), db.lock("job", ttl=1, timeout=0):
            pass


HOLDER = """
import json, sys, time
from shared.db import DatabaseConnections, LockLost
settings = json.loads(sys.argv[1])
with DatabaseConnections() as db:
    db.initialize_redis(**settings)
    write = db.redis.register_script('''
        if tonumber(ARGV[1]) < tonumber(redis.call('get', 'fence') or '0') then return 0 end
        redis.call('set', 'fence', ARGV[1])
        return redis.call('rpush', 'written', ARGV[1])''')
    try:
        with db.lock("fenced", ttl=float(sys.argv[2]), timeout=60) as lock:
            print(lock.token, flush=True)
            sys.stdin.readline()
            print(write(args=[str(lock.token)]), flush=True)
            time.sleep(5)
    except LockLost:
        print("lost", flush=True)
"""


def test_a_holder_stopped_past_its_time_is_fenced_off(db, redis_settings, python):
    import json
    import signal

    first = python(HOLDER, json.dumps(dict(redis_settings)), 0.5)
    old = int(first.stdout.readline())
    first.send_signal(signal.SIGSTOP)
    second = python(HOLDER, json.dumps(dict(redis_settings)), 60)
    new = int(second.stdout.readline())
    assert new > old
    second.stdin.write("go\n")
    second.stdin.flush()
    assert int(second.stdout.readline()) == 1
    first.stdin.write("go\n")
    first.stdin.flush()
    first.send_signal(signal.SIGCONT)
    rest = first.stdout.read().split()
    # It was told, or it tried to write and was refused; it never wrote.
    assert rest in (["lost"], ["0", "lost"])
    assert db.redis.lrange("written", 0, -1) == [str(new).encode()]


# Leaves the block of a lock that its parent holds.
FORKED_HOLDER = """
import json, os, sys
from shared.db import DatabaseConnections, LockTimeout
with DatabaseConnections() as db:
    getattr(db, f"initialize_{sys.argv[1]}")(**json.loads(sys.argv[2]))
    with db.lock("forked", ttl=30, backend=sys.argv[1]):
        child = os.fork()
        if child:
            assert os.waitpid(child, 0)[1] == 0
            try:
                with db.lock("forked", ttl=1, backend=sys.argv[1], timeout=0.05):
                    print("free")
            except LockTimeout:
                print("held")
    if not child:
        os._exit(0)
    with db.lock("forked", ttl=1, backend=sys.argv[1], timeout=5):
        print("given back")
"""


@pytest.mark.parametrize("backend", ["redis", "postgres"])
def test_a_forked_child_does_not_free_its_parents_lock(
    backend, redis_settings, postgres_settings, python
):
    import json

    settings = {"redis": redis_settings, "postgres": postgres_settings}[backend]
    out, err = python(FORKED_HOLDER, backend, json.dumps(dict(settings))).communicate()
    assert out.split("\n") == ["held", "given back", ""], err
