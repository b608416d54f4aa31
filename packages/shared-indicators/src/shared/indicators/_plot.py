"""A price chart with indicators and patterns, through matplotlib (extra `[plot]`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._base.inputs import gather

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ._base.types import FrameLike
    from ._indicator import Indicator
    from ._patterns.pattern import Pattern

UP, DOWN = "#2a9d63", "#c8433c"
COLORS = ("#1f5fa8", "#c77700", "#7a3fa0", "#14808a", "#9b2f5f", "#5b6470")


def plot(
    frame: FrameLike | dict[str, Any],
    indicators: Iterable[Indicator[Any, Any, Any]] = (),
    patterns: Iterable[Pattern] = (),
    *,
    title: str = "",
) -> Figure:
    """Draw candles, indicators and patterns.

    Indicators in the units of the price lie on the candles; each of the others gets a panel below. A
    pattern is a mark at its bar, with a line to the bar where it became known.

    Args:
        frame: A frame or a dict with open, high, low and close, and volume if an indicator needs it.
            Dates as a pandas index label the bars.
        indicators: What to calculate and draw.
        patterns: What to find and mark.
        title: Above the chart.

    Returns:
        The figure, unknown to pyplot: save it with `figure.savefig(path)`.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: A column is missing.

    Example:
        >>> from shared.indicators import RSI, SMA, plot
        >>> price = [1.0, 2.0, 4.0, 3.0, 5.0]
        >>> bars = {"open": price, "high": price, "low": price, "close": price}
        >>> figure = plot(bars, [SMA(2), RSI(2)])
        >>> len(figure.axes)
        2
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plot needs matplotlib: pip install 'shared-indicators[plot]'") from error

    chosen = list(indicators)
    panels = [indicator for indicator in chosen if not _on_price(indicator)]
    figure = Figure(figsize=(11, 4.5 + 1.6 * len(panels)), layout="constrained")
    heights = [3.0] + [1.0] * len(panels)
    axes = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    first, high, low, close = _columns(frame, ("open", "high", "low", "close"))
    _candles(axes[0], first, high, low, close)
    on_price = [indicator for indicator in chosen if _on_price(indicator)]
    _lines(axes[0], frame, on_price)
    for panel, indicator in zip(axes[1:], panels, strict=True):
        _lines(panel, frame, [indicator])
        panel.set_title(repr(indicator), fontsize=9, loc="left")
    _marks(axes[0], patterns, (first, high, low, close))
    axes[0].set_title(title, loc="left")
    for panel in axes:
        panel.grid(visible=True, color="#e3e6ea", linewidth=0.6)
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
        if panel.get_legend_handles_labels()[1]:
            panel.legend(fontsize=8, loc="upper left", framealpha=0.8)
    _dates(axes[-1], frame, len(close))
    return figure


def _on_price(indicator: Indicator[Any, Any, Any]) -> bool:
    return indicator.on_price or indicator.group == "overlap"


def _columns(frame: Any, names: tuple[str, ...]) -> list[np.ndarray]:
    given = gather(names, *_handed_over(frame, names), -1)
    if not given.single:
        raise ValueError("frame must hold the bars of one symbol, not of several")
    return [x[0] for x in given.arrays]


def _handed_over(frame: Any, names: tuple[str, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if isinstance(frame, dict):
        return (), {name: frame[name] for name in names if name in frame}
    return (frame,), {}


def _candles(axes: Axes, first: Any, high: Any, low: Any, close: Any) -> None:
    bars = np.arange(len(close))
    for rising, color in ((True, UP), (False, DOWN)):
        at = np.flatnonzero((close >= first) == rising)
        axes.vlines(bars[at], low[at], high[at], color=color, linewidth=0.8)
        bottom, top = np.minimum(first, close)[at], np.maximum(first, close)[at]
        axes.bar(bars[at], np.maximum(top - bottom, 0.0), 0.7, bottom, color=color)
        # A body without height would not be seen.
        flat = at[top == bottom]
        axes.hlines(close[flat], bars[flat] - 0.35, bars[flat] + 0.35, color=color, linewidth=0.8)


def _lines(axes: Axes, frame: Any, indicators: list[Indicator[Any, Any, Any]]) -> None:
    color = 0
    for indicator in indicators:
        inputs = _columns(frame, indicator.inputs)
        result = indicator.__copy__().calculate(*inputs)
        outputs = result if isinstance(result, tuple) else (result,)
        for name, values in zip(indicator.outputs, outputs, strict=True):
            if name == "direction":
                continue
            bars = np.arange(len(values))
            shade = COLORS[color % len(COLORS)]
            label = repr(indicator) if len(outputs) == 1 else f"{type(indicator).__name__} {name}"
            if name == "histogram":
                axes.bar(bars, np.nan_to_num(values), 0.7, color="#b8c0c8", label=label)
                continue
            if name == "sar":
                axes.plot(bars, values, ".", color=shade, markersize=3, label=label)
            else:
                if name == "lagging":
                    # Drawn where it is drawn on paper charts; the value itself is never shifted back.
                    bars = bars - indicator.parameters["base"]
                axes.plot(bars, values, color=shade, linewidth=1.1, label=label)
            color += 1


def _marks(axes: Axes, patterns: Iterable[Pattern], bars: tuple[Any, ...]) -> None:
    _, high, low, close = bars
    gap = 0.02 * (np.nanmax(high) - np.nanmin(low)) if len(close) else 0.0
    for color, pattern in zip(COLORS * 8, patterns, strict=False):
        found = pattern.find(*bars)
        below = found.direction > 0
        heights = np.where(below, low[found.position] - gap, high[found.position] + gap)
        for rising, marker in ((True, "^"), (False, "v")):
            at = below == rising
            label = pattern.name if at.any() and (rising or not below.any()) else None
            sizes = 18 + 30 * found.confidence[at]
            places = found.position[at], heights[at]
            axes.scatter(*places, sizes, color, marker=marker, label=label, zorder=3)
        for position, known, height in zip(found.position, found.known, heights, strict=True):
            if known > position:
                axes.plot(
                    [position, known], [height, close[known]], ":", color=color, linewidth=0.9
                )


def _dates(axes: Axes, frame: Any, bars: int) -> None:
    index = getattr(frame, "index", None)
    if index is None or not hasattr(index, "strftime") or not bars:
        return
    ticks = np.unique(np.linspace(0, bars - 1, 7).astype(int))
    axes.set_xticks(ticks, [index[i].strftime("%Y-%m-%d") for i in ticks])
