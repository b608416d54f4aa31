"""watcher.png: the series with their anomalies, and a price with its signals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass
class Panel:
    """One series to draw: times in ns UTC, values, marks as (time, value, label), lines by name."""

    title: str
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    marks: list[tuple[int, float, str]] = field(default_factory=list)
    lines: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    unit: str = ""


MARKERS = {"anomaly": ("o", "tab:red"), "buy": ("^", "tab:green"), "sell": ("v", "tab:purple")}


def draw(panels: list[Panel], path: Path) -> None:
    """Draw one row a panel into a PNG file."""
    # The object interface: no global state, no display, safe in any thread.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 2.4 * max(1, len(panels)) + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    for row, panel in enumerate(panels, start=1):
        axes = figure.add_subplot(len(panels), 1, row)
        time = panel.time.astype("datetime64[ns]")
        axes.plot(time, panel.value, color="tab:blue", linewidth=0.9, label=panel.title)
        for name, line in panel.lines.items():
            axes.plot(time, line, linewidth=0.7, alpha=0.8, label=name)
        for kind, (marker, color) in MARKERS.items():
            marked = [(at, value) for at, value, label in panel.marks if label == kind]
            if marked:
                at, value = zip(*marked, strict=True)
                stamps = [int(t) for t in at]
                axes.scatter(
                    np.array(stamps, dtype="datetime64[ns]"),
                    value,
                    s=22,
                    marker=marker,
                    color=color,
                    zorder=3,
                    label=f"{kind} ({len(marked)})",
                )
        axes.set_title(panel.title, loc="left", fontsize=10)
        axes.set_ylabel(panel.unit, fontsize=8)
        axes.grid(alpha=0.25)
        axes.legend(loc="upper left", fontsize=7, ncols=6, frameon=False)
        locator = AutoDateLocator()  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    figure.savefig(path, dpi=110)
