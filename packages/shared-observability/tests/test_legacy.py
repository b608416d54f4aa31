"""Old names are the same objects."""

import shared.observability as obs


def test_async_names_are_the_same_objects():
    assert obs.async_timed is obs.timed is obs.measure_execution_time
    assert obs.async_log_exceptions is obs.log_exceptions
    assert obs.async_log_calls is obs.log_calls
    assert obs.async_deprecated is obs.deprecated
