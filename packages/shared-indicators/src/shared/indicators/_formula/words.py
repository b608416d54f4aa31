"""The words in which formulas are written."""

from __future__ import annotations

from .before import Before
from .expr import Expr, Map, Pick
from .machines import Machine
from .rises import Rises
from .scan import Scan
from .windows import Window


def _map(scalar: str, array: str, *args: Expr | float) -> Expr:
    """Make an elementwise operation; constants are written into its text."""
    nodes: list[Expr] = []
    for i, arg in enumerate(args):
        if isinstance(arg, Expr):
            slot = f"{{{len(nodes)}}}"
            nodes.append(arg)
        else:
            slot = f"({float(arg)!r})"
        scalar, array = scalar.replace(f"<{i}>", slot), array.replace(f"<{i}>", slot)
    return Expr(Map(scalar, array), *nodes)


def maximum(a: Expr | float, b: Expr | float) -> Expr:
    """Return the larger of two values."""
    return _map("(<0> if <0> > <1> else <1>)", "maximum(<0>, <1>)", a, b)


def minimum(a: Expr | float, b: Expr | float) -> Expr:
    """Return the smaller of two values."""
    return _map("(<0> if <0> < <1> else <1>)", "minimum(<0>, <1>)", a, b)


def where(condition: Expr, yes: Expr | float, no: Expr | float) -> Expr:
    """Return `yes` where the condition holds and `no` elsewhere."""
    return _map("(<1> if <0> else <2>)", "where(<0>, <1>, <2>)", condition, yes, no)


def ratio(a: Expr | float, b: Expr, undefined: float) -> Expr:
    """Return the quotient; `undefined` where the divisor is zero."""
    return _map("(<0> / <1> if <1> else <2>)", "ratio(<0>, <1>, <2>)", a, b, undefined)


def root(a: Expr) -> Expr:
    """Return the square root of what is not negative."""
    return _map("sqrt(<0>)", "sqrt(<0>)", a)


def size(a: Expr) -> Expr:
    """Return the absolute value."""
    return _map("(<0> if <0> > 0.0 else 0.0 - <0>)", "abs(<0>)", a)


def lag(x: Expr, bars: int = 1) -> Expr:
    """Return the value of `bars` bars ago."""
    return Expr(Window("lag", bars), x) if bars else x


def change(x: Expr, bars: int = 1) -> Expr:
    """Return how far a value moved in `bars` bars."""
    return x - lag(x, bars)


def total(x: Expr, period: int) -> Expr:
    """Return the sum of the last `period` values."""
    return Expr(Window("total", period), x) if period > 1 else x


def mean(x: Expr, period: int) -> Expr:
    """Return the mean of the last `period` values."""
    return total(x, period) / period if period > 1 else x


def highest(x: Expr, period: int) -> Expr:
    """Return the largest of the last `period` values."""
    return Expr(Window("highest", period), x)


def lowest(x: Expr, period: int) -> Expr:
    """Return the smallest of the last `period` values."""
    return Expr(Window("lowest", period), x)


def bars_since_high(x: Expr, period: int) -> Expr:
    """Return the bars since the largest of the last `period` values; of equals, the newest."""
    return Expr(Window("bars_since_high", period), x)


def bars_since_low(x: Expr, period: int) -> Expr:
    """Return the bars since the smallest of the last `period` values; of equals, the newest."""
    return Expr(Window("bars_since_low", period), x)


def variance(x: Expr, period: int) -> Expr:
    """Return the population variance of the last `period` values."""
    return Expr(Window("variance", period), x)


def mean_deviation(x: Expr, period: int) -> Expr:
    """Return the mean absolute distance of the last `period` values from their mean."""
    return Expr(Window("deviation", period), x)


def weighted_mean(x: Expr, period: int) -> Expr:
    """Return the mean of the last `period` values, weighted 1 (oldest) to `period` (newest)."""
    return Expr(Window("weighted", period), x) / (period * (period + 1) / 2)


def ema(x: Expr, period: int, *, skip: int = 0) -> Expr:
    """Return the exponential mean, alpha 2 / (period + 1), seeded by the mean of the first `period` values."""
    alpha = 2.0 / (period + 1)
    return Expr(Scan(1.0 - alpha, alpha, period, 1.0 / period, skip=skip), x)


def ema_from_first(x: Expr, period: int) -> Expr:
    """Return the exponential mean, seeded by the first value."""
    alpha = 2.0 / (period + 1)
    return Expr(Scan(1.0 - alpha, alpha, 1, 1.0), x)


def rma(x: Expr, period: int, *, skip: int = 0) -> Expr:
    """Return Wilder's mean, alpha 1 / period, seeded by the mean of the first `period` values."""
    return Expr(Scan((period - 1) / period, 1.0 / period, period, 1.0 / period, skip=skip), x)


def wilder_total(x: Expr, period: int) -> Expr:
    """Return Wilder's running sum, seeded by the sum of the first `period - 1` values."""
    return Expr(Scan((period - 1) / period, 1.0, period - 1, 1.0, shown=False), x)


def running_total(x: Expr) -> Expr:
    """Return the sum of all values so far."""
    return Expr(Scan(1.0, 1.0, 1, 1.0), x)


def after(x: Expr, bars: int) -> Expr:
    """Return the same values without the first `bars` of them."""
    return Expr(x.op, *x.args, offset=x.offset + bars)


def before(x: Expr) -> Expr:
    """Return the value of the bar before; of the first bar its own."""
    return Expr(Before(), x)


def rises(x: Expr) -> Expr:
    """Return 1 for up, -1 for down, 0 for flat; the first bar counts as up."""
    return Expr(Rises(), x)


def machine(name: str, inputs: tuple[Expr, Expr, Expr], a: float = 0.0, b: float = 0.0) -> Expr:
    """Return a state machine; `pick` selects its outputs."""
    return Expr(Machine(name, a, b), *inputs)


def pick(x: Expr, index: int) -> Expr:
    """Return one of several outputs."""
    return Expr(Pick(index), x)


def true_range(high: Expr, low: Expr, close: Expr) -> Expr:
    """Return the range of the bar, together with the close before it."""
    before = lag(close)
    return maximum(high, before) - minimum(low, before)


def typical(high: Expr, low: Expr, close: Expr) -> Expr:
    """Return the typical price."""
    return (high + low + close) / 3.0


def money_flow(high: Expr, low: Expr, close: Expr, volume: Expr) -> Expr:
    """Return the volume times where the close lies in the bar, -1 (low) to 1 (high); 0 in a bar without range."""
    return ratio((close - low) - (high - close), high - low, 0.0) * volume


def directional(high: Expr, low: Expr, close: Expr, period: int) -> tuple[Expr, Expr]:
    """Return Wilder's +DI and -DI."""
    up, down = change(high), lag(low) - low
    span = wilder_total(true_range(high, low, close), period)
    plus = wilder_total(where(up > down, maximum(up, 0.0), 0.0), period)
    minus = wilder_total(where(down > up, maximum(down, 0.0), 0.0), period)
    return ratio(plus, span, 0.0) * 100.0, ratio(minus, span, 0.0) * 100.0
