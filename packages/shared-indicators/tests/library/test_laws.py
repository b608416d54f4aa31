"""Laws that hold for every indicator of the registry, on both engines."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared import indicators as own

SPECS = own.available()
# Small parameters, so that short series hold many windows.
SMALL = {
    "HMA": {"period": 4},
    "Ichimoku": {"conversion": 3, "base": 4, "span": 6},
    "MACD": {"fast": 3, "slow": 5, "signal": 3},
    "PPO": {"fast": 3, "slow": 5},
    "AwesomeOscillator": {"fast": 3, "slow": 5},
    "ChaikinOscillator": {"fast": 2, "slow": 4},
    "TSI": {"slow": 4, "fast": 3},
    "UltimateOscillator": {"short": 2, "medium": 3, "long": 5},
}
# Where the whole past, not a window, decides.
RECURSIVE = {
    "ADX", "AccumulationDistribution", "ATR", "ChaikinOscillator", "DEMA", "EMA", "KAMA",
    "KeltnerChannels", "MACD", "MinusDI", "NATR", "OBV", "PPO", "PVT", "ParabolicSAR", "PlusDI",
    "RMA", "RSI", "StochRSI", "SuperTrend", "TEMA", "TRIX", "TSI", "VWAP",
}  # fmt: skip


def small(name):
    parameters = SMALL.get(name)
    if parameters is None:
        wanted = {p.name for p in SPECS[name].parameters}
        parameters = {"period": 5} if "period" in wanted else {}
    return SPECS[name].indicator(**parameters)


def take(indicator, bars, *where):
    return [bars[name][where] if where else bars[name] for name in indicator.inputs]


def of_engines(indicator, bars, lines):
    found = []
    for which in ("numpy", "numba"):
        with own.engine(which):
            found.append(lines(indicator.calculate(*take(indicator, bars))))
    return found


every = pytest.mark.parametrize("name", SPECS)
quick = settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@every
def test_shape_and_lookback(engine, make_bars, lines, name):
    bars = make_bars(200)
    for indicator in (small(name), SPECS[name].indicator()):
        result = indicator.calculate(*take(indicator, bars))
        assert isinstance(result, tuple) == (len(indicator.outputs) > 1)
        if isinstance(result, tuple):
            assert getattr(result, "_fields", None) == indicator.outputs
        out = lines(result)
        assert out.shape == (len(indicator.outputs), 200)
        assert out.dtype == np.float64
        assert np.isnan(out[:, : indicator.lookback]).all()
        assert np.isfinite(out[:, indicator.lookback :]).all()


@every
def test_fewer_bars_than_the_lookback(engine, make_bars, lines, name):
    indicator = SPECS[name].indicator()
    for n in {0, 1, indicator.lookback}:
        bars = make_bars(max(n, 1))
        out = lines(indicator.calculate(*(x[:n] for x in take(indicator, bars))))
        assert out.shape == (len(indicator.outputs), n)
        assert np.isnan(out[:, : indicator.lookback]).all()


@every
def test_engines_agree(make_bars, lines, name):
    bars = make_bars(40_000)
    indicator = SPECS[name].indicator()
    if name in {"KAMA", "ParabolicSAR", "SuperTrend"}:
        bars = {k: v[:3_000] for k, v in bars.items()}
    found = of_engines(indicator, bars, lines)
    scale = np.nanmax(np.abs(found[0]))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9, atol=1e-12 * scale)


@every
@quick
@given(seed=st.integers(0, 10_000), split=st.integers(0, 60))
def test_streaming_equals_batch_at_every_split(engine, make_bars, lines, name, seed, split):
    bars = make_bars(60, seed)
    indicator = small(name)
    whole = lines(indicator.calculate(*take(indicator, bars)))
    scale = np.nanmax(np.abs(whole))
    indicator.calculate(*(x[:split] for x in take(indicator, bars)))
    for i in range(split, 60):
        if i % 7 == 0:
            indicator = pickle.loads(pickle.dumps(indicator))
        twin = copy.copy(indicator) if i % 5 == 0 else None
        bar = [float(x[i]) for x in take(indicator, bars)]
        found = lines(indicator.update(*bar))
        if twin is not None:
            np.testing.assert_array_equal(lines(twin.update(*bar)), found)
        np.testing.assert_allclose(found, whole[:, i], rtol=1e-9, atol=1e-12 * scale)


@every
def test_panel_rows_equal_single_series_bit_for_bit(engine, make_bars, lines, name):
    """Also where a row has gaps, and at all sizes that are cut into blocks differently."""
    indicator = SPECS[name].indicator()
    for rows, n in ((3, 100), (7, 5_000), (2, 17_000)):
        if n > 5_000 and name in {"KAMA", "ParabolicSAR", "SuperTrend"}:
            continue
        bars = [make_bars(n, seed) for seed in range(rows)]
        panel = [np.array([b[i].copy() for b in bars]) for i in indicator.inputs]
        panel[0][1, 40:43] = np.nan
        out = lines(indicator.calculate(*panel))
        across = lines(indicator.calculate(*(x.T for x in panel), axis=0))
        np.testing.assert_array_equal(np.swapaxes(across, 1, 2), out)
        for r in range(rows):
            one = lines(indicator.calculate(*(x[r] for x in panel)))
            np.testing.assert_array_equal(out[:, r], one)


@every
def test_a_prefix_gives_the_prefix(engine, make_bars, lines, name):
    """No look-ahead, to the last bit."""
    indicator = SPECS[name].indicator()
    bars = make_bars(2_000)
    whole = lines(indicator.calculate(*take(indicator, bars)))
    for n in (1, 17, 130, 513, 1_400, 1_999):
        part = lines(indicator.calculate(*(x[:n] for x in take(indicator, bars))))
        np.testing.assert_array_equal(part, whole[:, :n])


@every
def test_panel_ticks_equal_batch(make_bars, lines, name):
    indicator = small(name)
    bars = [make_bars(50, seed) for seed in range(4)]
    panel = [np.array([b[i] for b in bars]) for i in indicator.inputs]
    whole = lines(indicator.calculate(*panel))
    stream = indicator.panel(4)
    for i in range(50):
        if i % 11 == 0:
            stream = pickle.loads(pickle.dumps(stream))
        tick = [x[:, i].copy() for x in panel]
        found = lines(copy.copy(stream).update(*tick))
        given_back = stream.update(*tick)
        np.testing.assert_array_equal(lines(given_back), found)
        scale = np.nanmax(np.abs(whole))
        np.testing.assert_allclose(found, whole[:, :, i], rtol=1e-9, atol=1e-12 * scale)
        # What a caller does to his arrays afterwards must not reach the state.
        for array in (*tick, *(given_back if isinstance(given_back, tuple) else (given_back,))):
            array[:] = np.nan


@every
def test_a_gap_is_in_its_windows_only(engine, make_bars, lines, name):
    """Windows with the gap are NaN; after it all starts afresh, as on the rest alone."""
    indicator = small(name)
    bars = make_bars(120)
    clean = lines(indicator.calculate(*take(indicator, bars)))
    for hole in (np.nan, np.inf, -np.inf):
        inputs = [x.copy() for x in take(indicator, bars)]
        inputs[-1][60] = hole
        out = lines(indicator.calculate(*inputs))
        atol = 1e-13 * float(np.nanmax(np.abs(take(indicator, bars)[0])))
        np.testing.assert_allclose(out[:, :60], clean[:, :60], rtol=1e-12, atol=atol)
        assert np.isnan(out[:, 60 : 61 + indicator.lookback]).all()
        rest = lines(indicator.calculate(*(x[61:] for x in inputs)))
        np.testing.assert_allclose(out[:, 61:], rest, rtol=1e-12, atol=atol)
        if name not in RECURSIVE:
            after = 61 + indicator.lookback
            np.testing.assert_allclose(out[:, after:], clean[:, after:], rtol=1e-9, atol=1e-9)
        # The stream goes on from after the gap.
        tail = [x[:80] for x in inputs]
        indicator.calculate(*tail)
        found = lines(indicator.update(*(float(x[80]) for x in inputs)))
        np.testing.assert_allclose(found, out[:, 80], rtol=1e-9, atol=1e-9)


@every
def test_a_refused_update_changes_nothing(make_bars, lines, name):
    bars = make_bars(60)
    indicator, twin = small(name), small(name)
    stream = small(name).panel(2)
    for i in range(60):
        bar = [float(x[i]) for x in take(indicator, bars)]
        for bad in (float("nan"), float("inf")):
            with pytest.raises(ValueError, match=f"{indicator.inputs[-1]} must be a finite number"):
                indicator.update(*bar[:-1], bad)
            with pytest.raises(ValueError, match=r"\[1\] must be a finite number"):
                stream.update(*(np.full(2, v) for v in bar[:-1]), np.array([1.0, bad]))
        with pytest.raises(TypeError, match="must be a finite number"):
            indicator.update(*bar[:-1], "1")
        expected = lines(twin.update(*bar))
        np.testing.assert_array_equal(lines(indicator.update(*bar)), expected)
        ticked = lines(stream.update(*(np.full(2, v) for v in bar)))
        np.testing.assert_allclose(ticked[:, 0], expected, rtol=1e-9, atol=1e-9)


@every
def test_inputs_are_never_written_and_equal_their_float64_copy(engine, make_bars, lines, name):
    indicator = small(name)
    bars = {k: np.round(v).astype(np.int64) for k, v in make_bars(80).items()}
    bars["high"] += 2
    expected = lines(indicator.calculate(*(x.astype(float) for x in take(indicator, bars))))
    for change in (
        lambda x: x.astype(np.float32) if x.max() < 2**24 else x,
        lambda x: x,
        lambda x: x.tolist(),
        lambda x: np.repeat(x, 3)[::3],
        lambda x: x[::-1].copy()[::-1].astype(float),
        lambda x: x.astype(">f8"),
    ):
        inputs = [change(x) for x in take(indicator, bars)]
        before = copy.deepcopy(inputs)
        for x in inputs:
            if isinstance(x, np.ndarray):
                x.flags.writeable = False
        np.testing.assert_array_equal(lines(indicator.calculate(*inputs)), expected)
        for a, b in zip(inputs, before, strict=True):
            np.testing.assert_array_equal(a, b)


@every
@pytest.mark.parametrize("kind", ["constant", "huge", "tiny", "zero", "spike", "no volume"])
def test_hostile_numbers_raise_nothing(engine, make_bars, lines, name, kind):
    """Warnings are errors here; infinities never come out of finite bars."""
    bars = make_bars(100)
    if kind == "constant":
        bars = {k: np.full(100, 0.1) for k in bars}
    elif kind == "huge":
        bars = {k: v * 1e100 for k, v in bars.items()}
    elif kind == "tiny":
        bars = {k: v * 1e-100 for k, v in bars.items()}
    elif kind == "zero":
        bars = {k: np.zeros(100) for k in bars}
    elif kind == "spike":
        for v in bars.values():
            v[50] = 1e16
    else:
        bars["volume"] = np.zeros(100)
    indicator = small(name)
    out = lines(indicator.calculate(*take(indicator, bars)))
    assert not np.isinf(out).any()
    undefined = name in {"VWAP", "VWMA"} and kind in {"zero", "no volume"}
    assert np.isnan(out[:, indicator.lookback :]).any() == undefined
    stream, panel = small(name), small(name).panel(2)
    for i in range(100):
        bar = [float(x[i]) for x in take(indicator, bars)]
        stream.update(*bar)
        panel.update(*(np.full(2, v) for v in bar))


@every
def test_frames_and_names(make_bars, lines, name):
    import pandas as pd
    import polars as pl

    indicator = small(name)
    bars = make_bars(60)
    expected = lines(indicator.calculate(*take(indicator, bars)))
    index = pd.date_range("2024-01-01", periods=60)
    frame = pd.DataFrame(bars, index=index).rename(columns=str.title)
    for kind, table in ((pd.Series, frame), (pl.Series, pl.DataFrame(bars))):
        result = indicator.calculate(table)
        for out, label, values in zip(
            result if isinstance(result, tuple) else (result,),
            indicator.outputs,
            expected,
            strict=True,
        ):
            assert type(out) is kind
            assert out.name == label
            np.testing.assert_array_equal(out.to_numpy(), values)
            if kind is pd.Series:
                assert getattr(out, "index").equals(index)  # noqa: B009 - polars has none
    named = {i: bars[i] for i in indicator.inputs}
    np.testing.assert_array_equal(lines(indicator.calculate(**named)), expected)


@every
def test_repr_makes_the_same_again(name):
    indicator = small(name)
    again = eval(repr(indicator), {name: SPECS[name].indicator})
    assert again.parameters == indicator.parameters
    assert again.lookback == indicator.lookback


@every
def test_windows_longer_than_a_tile(make_bars, lines, name):
    """Compiled loops take a row in pieces of about a thousand bars."""
    # Three averages in a row begin after three periods.
    period = 700 if name in {"HMA", "TEMA", "TRIX"} else 1_100
    has_period = "period" in {p.name for p in SPECS[name].parameters}
    indicator = SPECS[name].indicator(**({"period": period} if has_period else {}))
    bars = make_bars(2_507)
    found = of_engines(indicator, bars, lines)
    scale = np.nanmax(np.abs(found[0]))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9, atol=1e-12 * scale)


@every
def test_all_forms_agree_on_ticks_that_repeat(lines, name):
    """Prices in few steps, so that moves, ranges and volumes are often zero and equal."""
    rng = np.random.default_rng(5)
    close, first = rng.integers(1, 6, size=(2, 300)).astype(float)
    close[100:160] = close[100]
    bars = {
        "open": first,
        "high": np.maximum(first, close) + rng.integers(0, 2, 300),
        "low": np.minimum(first, close) - rng.integers(0, 2, 300) * 0.5,
        "close": close,
        "volume": rng.integers(0, 3, 300).astype(float),
    }
    indicator = SPECS[name].indicator()
    found = of_engines(indicator, bars, lines)
    indicator.reset()
    found.append(
        np.array(
            [
                lines(indicator.update(*bar))
                for bar in zip(*(x.tolist() for x in take(indicator, bars)), strict=True)
            ]
        ).T
    )
    scale = np.nanmax(np.abs(found[0]))
    for other in found[1:]:
        np.testing.assert_allclose(found[0], other, rtol=1e-9, atol=1e-10 + 1e-12 * scale)
