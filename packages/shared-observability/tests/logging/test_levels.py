"""Levels are live and inherited."""

import logging

import pytest

from shared.observability import (
    configure_logging,
    get_logger,
    set_log_level,
)


def test_levels_are_live_and_inherited(lines):
    configure_logging("WARNING", output=lines)
    parent, child = get_logger("a"), get_logger("a.b").bind(x=1)
    child.info("no")
    set_log_level("debug", "a")
    child.debug("yes")
    parent.debug("yes")
    get_logger("ab").info("no")
    logging.getLogger("a.b").debug("std yes")
    set_log_level("ERROR", "a.b")
    child.warning("no")
    assert [line["message"] for line in lines.records()] == ["yes", "yes", "std yes"]


@pytest.mark.parametrize(
    ("level", "kind"),
    [
        ("LOUD", ValueError),
        ("", ValueError),
        (3.5, ValueError),
        (-1, ValueError),
        (True, TypeError),
        (None, TypeError),
    ],
)
@pytest.mark.parametrize("call", [configure_logging, set_log_level])
def test_an_unknown_level_names_the_valid_ones(call, level, kind):
    with pytest.raises(kind, match="level must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL"):
        call(level)
