"""capture_logs nests, restores and redacts."""

import logging

from shared.observability import (
    capture_logs,
    get_logger,
)


def test_capture_logs_nests_and_restores():
    with capture_logs("DEBUG") as outer:
        get_logger("x").debug("one")
        with capture_logs() as inner:
            get_logger("x").debug("two")
        get_logger("x").debug("three")
    with capture_logs() as later:
        get_logger("x").debug("hidden")
    assert [line["message"] for line in outer] == ["one", "three"]
    assert [line["message"] for line in inner] == ["two"]
    assert later == []


NEEDLE = "s3cr3tNEEDLE9"


def test_capture_logs_redacts_too():
    with capture_logs() as logs:
        get_logger("x").info("m", password=NEEDLE)
        logging.getLogger("x").warning("Bearer %s", NEEDLE)
    assert [log["message"] for log in logs] == ["m", "Bearer [REDACTED]"]
    assert NEEDLE not in repr(logs)
