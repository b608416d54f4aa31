"""The active sanitizer: one for all threads from the first use on."""

import threading

import pytest

from shared.observability import Sanitizer
from shared.observability._redaction import active


@pytest.fixture
def unset(monkeypatch):
    monkeypatch.setattr(active, "_default", {})
    active.set_sanitizer(None)
    yield monkeypatch
    active.set_sanitizer(None)


def test_first_use_from_many_threads(unset):
    start, found = threading.Barrier(8), []

    def use():
        start.wait()
        found.append(active.get_sanitizer())

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1


def test_a_first_use_does_not_replace_what_another_thread_sets_meanwhile(unset):
    mine = Sanitizer(keys=["badge"])

    def slow():
        active.set_sanitizer(mine)
        return Sanitizer()

    unset.setattr(active, "Sanitizer", slow)
    active.get_sanitizer()
    assert active.get_sanitizer() is mine
