# ruff: noqa: B023, E402 - what a round measures is called at once; threads are set before imports
"""Speed and memory next to TA-Lib, talipp, pandas and polars, as ratios of interleaved rounds.

    python packages/shared-indicators/benchmarks/run.py [--quick]

Prints a table and rewrites RESULTS.md beside this file (not with --quick).
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from importlib.metadata import version
from pathlib import Path

for threads in (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "NUMBA_NUM_THREADS",
):
    os.environ[threads] = "1"
os.environ.setdefault(
    "NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"shared-indicators-numba-{os.getuid()}")
)

import numpy as np
import pandas as pd
import polars as pl
import talib
import talib.stream
import talipp.indicators as tp
from talipp.ohlcv import OHLCV

from shared import indicators as own

ROWS = []
BARS = ("open", "high", "low", "close", "volume")


def make(*shape):
    rng = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(rng.normal(size=shape), axis=-1) * 0.001)
    return {
        "open": close * 1.0001,
        "high": close * (1 + np.abs(rng.normal(size=shape)) * 0.001),
        "low": close * (1 - np.abs(rng.normal(size=shape)) * 0.001),
        "close": close,
        "volume": rng.integers(1, 1_000, size=shape).astype(float),
    }


def measure(section, name, peer, bar, ours, theirs, rounds):
    """The median of the ratios of rounds that take turns."""
    ours()
    theirs()
    ratios, own_best, peer_best = [], float("inf"), float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        kept = ours()
        middle = time.perf_counter()
        del kept
        again = time.perf_counter()
        kept = theirs()
        end = time.perf_counter()
        del kept
        a, b = middle - start, end - again
        ratios.append(b / a)
        own_best, peer_best = min(own_best, a), min(peer_best, b)
    record(section, name, peer, bar, statistics.median(ratios), own_best, peer_best)


def record(section, name, peer, bar, ratio, own_best, peer_best):
    ROWS.append((section, name, peer, bar, ratio, own_best, peer_best))
    verdict = "" if bar is None else "met" if ratio >= bar else "MISSED"
    print(
        f"{section:22s} {name:26s} {peer:12s} {own_best * 1e6:12.1f} us {peer_best * 1e6:12.1f} us"
        f"  x{ratio:6.2f}  {'' if bar is None else f'bar {bar:g}'} {verdict}",
        flush=True,
    )


def hlc(b):
    return b["high"], b["low"], b["close"]


def talib_cases():
    """name, indicator, the same in TA-Lib, bar for one series, bar for a panel."""
    yield "SMA", own.SMA(14), lambda b: talib.SMA(b["close"], 14), 0.9, 2
    yield "EMA", own.EMA(14), lambda b: talib.EMA(b["close"], 14), 2, 2
    yield "RSI", own.RSI(14), lambda b: talib.RSI(b["close"], 14), 1.3, 2
    yield "BollingerBands", own.BollingerBands(20), lambda b: talib.BBANDS(b["close"], 20), 0.9, 2
    yield "Max", own.Max(14), lambda b: talib.MAX(b["close"], 14), 0.9, 2
    yield "ATR", own.ATR(14), lambda b: talib.ATR(*hlc(b), 14), 0.9, 1.3
    yield (
        "ADX, +DI, -DI",
        own.ADX(14),
        lambda b: (talib.ADX(*hlc(b), 14), talib.PLUS_DI(*hlc(b), 14), talib.MINUS_DI(*hlc(b), 14)),
        2.5,
        6,
    )
    yield "OBV", own.OBV(), lambda b: talib.OBV(b["close"], b["volume"]), 2, None
    yield "Stochastic", own.Stochastic(), lambda b: talib.STOCH(*hlc(b)), 2, None
    yield "WMA", own.WMA(), lambda b: talib.WMA(b["close"]), 0.9, None
    yield "DEMA", own.DEMA(), lambda b: talib.DEMA(b["close"]), 0.9, None
    yield "TEMA", own.TEMA(), lambda b: talib.TEMA(b["close"]), 0.9, None
    yield "KAMA", own.KAMA(), lambda b: talib.KAMA(b["close"]), 0.9, None
    yield "MACD", own.MACD(), lambda b: talib.MACD(b["close"]), 0.9, None
    yield "PPO", own.PPO(), lambda b: talib.PPO(b["close"], matype=1), 0.9, None
    yield "StochRSI", own.StochRSI(), lambda b: talib.STOCHRSI(b["close"]), 0.9, None
    yield "CCI", own.CCI(), lambda b: talib.CCI(*hlc(b)), 0.9, None
    yield "WilliamsR", own.WilliamsR(), lambda b: talib.WILLR(*hlc(b)), 0.9, None
    yield "ROC", own.ROC(), lambda b: talib.ROC(b["close"]), 0.9, None
    yield "Momentum", own.Momentum(), lambda b: talib.MOM(b["close"]), 0.9, None
    yield "MFI", own.MFI(), lambda b: talib.MFI(*hlc(b), b["volume"]), 0.9, None
    yield "UltimateOscillator", own.UltimateOscillator(), lambda b: talib.ULTOSC(*hlc(b)), 0.9, None
    yield "NATR", own.NATR(), lambda b: talib.NATR(*hlc(b)), 0.9, None
    yield "TrueRange", own.TrueRange(), lambda b: talib.TRANGE(*hlc(b)), 0.9, None
    yield "StdDev", own.StdDev(), lambda b: talib.STDDEV(b["close"]), 0.9, None
    yield (
        "AccumulationDistribution",
        own.AccumulationDistribution(),
        lambda b: talib.AD(*hlc(b), b["volume"]),
        0.9,
        None,
    )
    yield (
        "ChaikinOscillator",
        own.ChaikinOscillator(),
        lambda b: talib.ADOSC(*hlc(b), b["volume"]),
        0.9,
        None,
    )
    yield "Aroon", own.Aroon(), lambda b: talib.AROON(b["high"], b["low"]), 0.9, None
    yield "ParabolicSAR", own.ParabolicSAR(), lambda b: talib.SAR(b["high"], b["low"]), 0.9, None
    yield "TRIX", own.TRIX(), lambda b: talib.TRIX(b["close"]), 0.9, None


def fast(bars, panel, rounds):
    """Compare both forms on numba with TA-Lib."""
    symbols, length = panel["close"].shape
    for name, indicator, theirs, single, many in talib_cases():
        inputs = [bars[i] for i in indicator.inputs]
        measure(
            f"single {len(inputs[0]):,} [fast]", name, "TA-Lib", single,
            lambda: indicator.calculate(*inputs), lambda: theirs(bars), rounds,
        )  # fmt: skip
        if many is None:
            continue
        stacked = [panel[i] for i in indicator.inputs]

        def loop():
            out = np.empty((len(indicator.outputs), symbols, length))
            for i in range(symbols):
                out[:, i] = theirs({k: v[i] for k, v in panel.items()})
            return out

        measure(
            f"panel {symbols} x {length} [fast]", name, "TA-Lib loop", many,
            lambda: indicator.calculate(*stacked), loop, rounds,
        )  # fmt: skip


def pandas_cases():
    def gains(s):
        d = s.diff()
        up, down = d.clip(lower=0), -d.clip(upper=0)
        a = up.ewm(alpha=1 / 14, adjust=False).mean()
        b = down.ewm(alpha=1 / 14, adjust=False).mean()
        return 100 * a / (a + b)

    def bands(s):
        r = s.rolling(20)
        m, d = r.mean(), r.std(ddof=0)
        return m + 2 * d, m, m - 2 * d

    def macd(s):
        line = s.ewm(span=12, adjust=False).mean() - s.ewm(span=26, adjust=False).mean()
        signal = line.ewm(span=9, adjust=False).mean()
        return line, signal, line - signal

    yield "SMA", own.SMA(14), lambda s: s.rolling(14).mean()
    yield "EMA", own.EMA(14), lambda s: s.ewm(span=14, adjust=False).mean()
    yield "RSI", own.RSI(14), gains
    yield "BollingerBands", own.BollingerBands(20), bands
    yield "MACD", own.MACD(), macd
    yield "Max", own.Max(14), lambda s: s.rolling(14).max()
    yield "Min", own.Min(14), lambda s: s.rolling(14).min()
    yield "StdDev", own.StdDev(20), lambda s: s.rolling(20).std(ddof=0)
    yield "ROC", own.ROC(10), lambda s: s.pct_change(10, fill_method=None) * 100
    yield "Momentum", own.Momentum(10), lambda s: s.diff(10)


def alone(bars, rounds):
    """Compare the numpy kernels with pandas and polars."""
    close, lazy = pd.Series(bars["close"]), pl.Series(bars["close"])
    with own.engine("numpy"):
        for name, indicator, theirs in pandas_cases():
            measure(
                f"single {len(close):,} numpy", name, "pandas", 1.5,
                lambda: indicator.calculate(bars["close"]), lambda: theirs(close), rounds,
            )  # fmt: skip
        for name, indicator, theirs in (
            ("SMA", own.SMA(14), lambda: lazy.rolling_mean(14)),
            ("EMA", own.EMA(14), lambda: lazy.ewm_mean(span=14, adjust=False)),
            ("Max", own.Max(14), lambda: lazy.rolling_max(14)),
            ("StdDev", own.StdDev(20), lambda: lazy.rolling_std(20, ddof=0)),
        ):
            measure(
                f"single {len(close):,} numpy", name, "polars", None,
                lambda: indicator.calculate(bars["close"]), theirs, rounds,
            )  # fmt: skip


def ticks(rounds):
    """Time one tick of a panel, numpy alone, next to one call per symbol of TA-Lib's streams."""
    s = talib.stream
    cases = (
        ("SMA", own.SMA(14), lambda b: s.SMA(b[3], 14)),
        ("EMA", own.EMA(14), lambda b: s.EMA(b[3], 14)),
        ("RSI", own.RSI(14), lambda b: s.RSI(b[3], 14)),
        ("BollingerBands", own.BollingerBands(20), lambda b: s.BBANDS(b[3], 20)),
        ("MACD", own.MACD(), lambda b: s.MACD(b[3])),
        ("ATR", own.ATR(14), lambda b: s.ATR(b[1], b[2], b[3], 14)),
        ("ADX", own.ADX(14), lambda b: s.ADX(b[1], b[2], b[3], 14)),
        ("Stochastic", own.Stochastic(), lambda b: s.STOCH(b[1], b[2], b[3])),
        ("CCI", own.CCI(), lambda b: s.CCI(b[1], b[2], b[3])),
        ("ParabolicSAR", own.ParabolicSAR(), lambda b: s.SAR(b[1], b[2])),
    )
    for symbols, bar in ((500, 7), (5_000, 20)):
        panel = make(symbols, 100)
        rows = [[panel[k][i] for k in BARS] for i in range(symbols)]
        for name, indicator, theirs in cases:
            stream = indicator.panel(symbols)
            columns = [np.ascontiguousarray(panel[k].T) for k in indicator.inputs]
            for i in range(100):
                stream.update(*(c[i] for c in columns))

            def several():
                # One window has some expensive ticks among many cheap ones: take a whole turn.
                for i in range(30):
                    stream.update(*(c[i] for c in columns))

            def theirs_once():
                for row in rows:
                    theirs(row)

            start = time.perf_counter()
            several()
            each = (time.perf_counter() - start) / 30
            ratios, best, worst = [], float("inf"), float("inf")
            for _ in range(max(3, rounds // 2)):
                start = time.perf_counter()
                several()
                middle = time.perf_counter()
                theirs_once()
                end = time.perf_counter()
                each = (middle - start) / 30
                ratios.append((end - middle) / each)
                best, worst = min(best, each), min(worst, end - middle)
            record(
                f"tick of {symbols:,}", name, "TA-Lib stream", bar, statistics.median(ratios),
                best, worst,
            )  # fmt: skip


def consume(indicator, columns):
    """Bar after bar, called as a user calls it: a call that unpacks a tuple would cost more."""
    match columns:
        case [a]:
            for x in a:
                indicator.update(x)
        case [a, b]:
            for x, y in zip(a, b, strict=True):
                indicator.update(x, y)
        case [a, b, c]:
            for x, y, z in zip(a, b, c, strict=True):
                indicator.update(x, y, z)
        case [a, b, c, d]:
            for x, y, z, w in zip(a, b, c, d, strict=True):
                indicator.update(x, y, z, w)


def streaming(rounds, count):
    """One value after the other in pure Python."""
    bars = {k: v.tolist() for k, v in make(count).items()}
    close = bars["close"]
    candles = [OHLCV(*values) for values in zip(*(bars[k] for k in BARS), strict=True)]
    cases = (
        ("SMA", own.SMA(14), lambda: tp.SMA(14), close),
        ("EMA", own.EMA(14), lambda: tp.EMA(14), close),
        ("WMA", own.WMA(14), lambda: tp.WMA(14), close),
        ("RSI", own.RSI(14), lambda: tp.RSI(14), close),
        ("MACD", own.MACD(), lambda: tp.MACD(12, 26, 9), close),
        ("BollingerBands", own.BollingerBands(20), lambda: tp.BB(20, 2), close),
        ("KAMA", own.KAMA(14), lambda: tp.KAMA(14, 2, 30), close),
        ("ATR", own.ATR(14), lambda: tp.ATR(14), candles),
        ("ADX", own.ADX(14), lambda: tp.ADX(14, 14), candles),
        ("Stochastic", own.Stochastic(14, 1, 3), lambda: tp.Stoch(14, 3), candles),
        ("OBV", own.OBV(), tp.OBV, candles),
        ("VWAP", own.VWAP(), tp.VWAP, candles),
        ("Aroon", own.Aroon(14), lambda: tp.Aroon(14), candles),
        ("ParabolicSAR", own.ParabolicSAR(), lambda: tp.ParabolicSAR(0.02, 0.02, 0.2), candles),
    )
    for name, indicator, peer, values in cases:
        columns = [bars[k] for k in indicator.inputs]

        def ours():
            indicator.reset()
            consume(indicator, columns)

        def theirs():
            other = peer()
            for value in values:
                other.add(value)

        measure("streaming", name, "talipp", 5, ours, theirs, max(3, rounds // 2))
    window = np.array(close[:100])
    indicator = own.EMA(14)
    for value in close[:100]:
        indicator.update(value)

    def ours():
        for value in close:
            indicator.update(value)

    def theirs():
        for _ in close:
            talib.stream.EMA(window, 14)

    measure("streaming", "EMA", "TA-Lib stream", 1, ours, theirs, rounds)


def imports(rounds):
    """How long a fresh interpreter takes."""

    def spend(what):
        code = (
            f"import time; s = time.perf_counter(); import {what}; print(time.perf_counter() - s)"
        )
        return float(
            subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
        )

    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(spend("numpy, shared.indicators"))
        theirs.append(spend("numpy"))
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    record(
        "import", "shared.indicators + numpy", "numpy", 1 / 1.3, 1 / ratio, min(ours), min(theirs)
    )


def memory(bars):
    """The peak beyond the outputs, as a share of them."""
    rows = []
    for name, indicator, _, _, _ in talib_cases():
        inputs = [bars[i] for i in indicator.inputs]
        indicator.calculate(*inputs)
        tracemalloc.start()
        result = indicator.calculate(*inputs)
        size = sum(x.nbytes for x in (result if isinstance(result, tuple) else (result,)))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        rows.append((name, size, peak - size))
        print(f"memory  {name:26s} outputs {size:12,d}  beyond {peak - size:12,d}")
    return rows


def report(memory_rows, path):
    packages = ("numpy", "numba", "TA-Lib", "talipp", "pandas", "polars")
    model = (
        next(
            (
                line.split(":")[1].strip()
                for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")
            ),
            platform.processor(),
        )
        if Path("/proc/cpuinfo").exists()
        else platform.processor()
    )
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    lines = [
        "# Results",
        "",
        f"{model}, {os.cpu_count()} cores, one thread used; {platform.system()}, Python {platform.python_version()};",
        f"{versions} (C library {talib.__ta_version__.decode().split()[0]}).",
        "",
        "Ratio: time of the peer over ours, the median of interleaved rounds; above 1 ours is faster.",
        "Times are the best round. NOTES.md explains why a bar is missed.",
        "",
        "| | indicator | peer | ours | peer's | ratio | bar | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for section, name, peer, bar, ratio, a, b in ROWS:
        verdict = "" if bar is None else "met" if ratio >= bar else "missed"
        shown = "" if bar is None else f"{bar:.2g}"
        lines.append(
            f"| {section} | {name} | {peer} | {a * 1e6:,.1f} us | {b * 1e6:,.1f} us | {ratio:.2f} | {shown} | {verdict} |"
        )
    lines += [
        "",
        "## Memory on the [fast] path",
        "",
        "Traced peak beyond the outputs, one series.",
        "",
    ]
    lines += ["| indicator | outputs | beyond | share |", "|---|---|---|---|"]
    lines += [f"| {n} | {s:,} B | {p:,} B | {p / s:.1%} |" for n, s, p in memory_rows]
    path.write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="small and few; writes nothing")
    quick = parser.parse_args().quick
    rounds = 3 if quick else 25
    bars = make(50_000 if quick else 1_000_000)
    panel = make(50 if quick else 500, 5_000)
    fast(bars, panel, rounds)
    alone(bars, rounds)
    ticks(rounds)
    streaming(rounds, 2_000 if quick else 10_000)
    imports(3 if quick else 9)
    rows = memory(bars)
    if not quick:
        report(rows, Path(__file__).with_name("RESULTS.md"))


if __name__ == "__main__":
    main()
