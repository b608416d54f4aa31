"""VWAP that starts again with each session."""

import copy
import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from shared import indicators

own: Any = indicators
TIMES = pd.date_range("2024-03-28 16:00", periods=300, freq="37min", tz="America/New_York")


@pytest.fixture
def frame(make_bars):
    return pd.DataFrame(make_bars(300), index=TIMES)


def by_hand(frame, keys):
    typical = (frame.high + frame.low + frame.close) / 3
    money, volume = (x.groupby(keys).cumsum() for x in (typical * frame.volume, frame.volume))
    return (money / volume).to_numpy()


PERIODS = {
    "D": TIMES.normalize().tz_localize(None),
    "W": TIMES.tz_localize(None).to_period("W"),
    "M": TIMES.tz_localize(None).to_period("M"),
    "Q": TIMES.tz_localize(None).to_period("Q"),
    "Y": TIMES.tz_localize(None).to_period("Y"),
}


@pytest.mark.parametrize("anchor", PERIODS)
def test_the_calendar_is_that_of_the_index_in_its_zone(engine, frame, anchor):
    found = own.VWAP(anchor).calculate(frame)
    assert found.index.equals(TIMES)
    np.testing.assert_allclose(found, by_hand(frame, PERIODS[anchor]), rtol=1e-12)


def test_one_session_is_the_whole(engine, frame):
    found = own.VWAP("Y").calculate(frame)
    np.testing.assert_allclose(found, own.VWAP().calculate(frame), rtol=1e-12)


def test_days_in_utc_are_other_days(frame):
    ours = own.VWAP("D").calculate(frame)
    utc = own.VWAP("D").calculate(frame.tz_convert("UTC"))
    assert not np.allclose(ours, utc)


LABELS = {
    "datetimes": ("D", list(TIMES.to_pydatetime())),
    "a pandas index": ("D", TIMES),
    "a pandas column": ("D", pd.Series(TIMES)),
    "numpy": ("D", TIMES.tz_localize(None).to_numpy()),
    "polars": ("D", pl.Series(list(TIMES.to_pydatetime())).dt.convert_time_zone("America/New_York")),
    "polars dates": ("D", pl.Series([t.date() for t in TIMES])),
    "dates": ("session", [t.date() for t in TIMES]),
    "text": ("session", TIMES.strftime("%Y%m%d")),
    "numbers": ("session", TIMES.day.to_numpy() + 31 * TIMES.month.to_numpy()),
}  # fmt: skip


@pytest.mark.parametrize("case", LABELS)
def test_sessions_may_be_given(frame, case):
    anchor, labels = LABELS[case]
    bars = [frame[name].to_numpy() for name in own.VWAP.inputs]
    expected = by_hand(frame, PERIODS["D"])
    found = own.VWAP(anchor).calculate(*bars, session=labels)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(own.VWAP(anchor).calculate(*bars, labels), expected, rtol=1e-12)


def test_a_stream_starts_again_too(engine, frame):
    expected = own.VWAP("D").calculate(frame).to_numpy()
    bars = [frame[name].to_list() for name in own.VWAP.inputs]
    stream = own.VWAP("D")
    found = [stream.update(*bar, t) for *bar, t in zip(*bars, TIMES, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    stream.calculate(frame[:117])
    for twin in (stream, copy.copy(stream), pickle.loads(pickle.dumps(stream))):
        found = [twin.update(*(x[i] for x in bars), TIMES[i]) for i in range(117, 300)]
        np.testing.assert_allclose(found, expected[117:], rtol=1e-12)
    stream.reset()
    assert stream.update(*(x[120] for x in bars), TIMES[120]) == pytest.approx(
        sum(x[120] for x in bars[:3]) / 3
    )


def test_panels_start_again_too(engine, frame, make_bars):
    other = pd.DataFrame(make_bars(300, seed=8), index=TIMES)
    both = pd.concat({"A": frame, "B": other}, axis=1)
    found = own.VWAP("D").calculate(both)
    for name, part in (("A", frame), ("B", other)):
        np.testing.assert_array_equal(found[name], own.VWAP("D").calculate(part))
    panel = own.VWAP("session").panel(2)
    ticks = [
        panel.update(
            *([frame[k].iloc[i], other[k].iloc[i]] for k in own.VWAP.inputs),
            [float(TIMES[i].toordinal())] * 2,
        )
        for i in range(300)
    ]
    np.testing.assert_allclose(np.array(ticks), found.to_numpy(), rtol=1e-12)


def test_a_session_without_trades_has_no_price(engine):
    one = [1.0, 2.0, 3.0]
    found = own.VWAP("session").calculate(one, one, one, [1.0, 0.0, 2.0], session=[0, 1, 1])
    np.testing.assert_array_equal(found, [1.0, np.nan, 3.0])


REFUSED = [
    (lambda x: own.VWAP("day"), ValueError, "anchor must be one of"),
    (lambda x: own.VWAP("D").calculate(x, x, x, x), TypeError, "'session' is missing"),
    (lambda x: own.VWAP().calculate(x, x, x, x, session=x), TypeError, "'session' is unknown"),
    (lambda x: own.VWAP("D").calculate(x, x, x, x, session=x), TypeError, "must hold times"),
    (lambda x: own.VWAP("session").calculate(x, x, x, x, session=[1]), ValueError, "as long as"),
    (
        lambda x: own.VWAP("session").calculate(x, x, x, x, session=[1.0, np.nan]),
        ValueError,
        "a label for every bar",
    ),
    (lambda x: own.VWAP("D").update(1.0, 1.0, 1.0, 1.0), TypeError, "update takes high, low"),
]


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_session_is_refused(case):
    call, kind, message = case
    with pytest.raises(kind, match=message):
        call([1.0, 2.0])
