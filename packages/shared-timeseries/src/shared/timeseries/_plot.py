"""A picture for an incident report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._anomaly.anomalies import Anomalies
from ._anomaly.detector import Anomaly
from ._data.points import read_points
from ._data.series import series_of
from ._reduce.downsample import downsample
from ._time.timeform import read_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ._time.types import Data, TimeField

_MOST = 4000  # points drawn: more than a wide screen has columns
_LINE, _BAND, _ALERT, _WINDOW = "#1f5fa8", "#1f5fa8", "#c62828", "#f0a500"


def plot(
    series: Data,
    timestamp_field: TimeField = None,
    value_field: str | None = None,
    *,
    anomalies: Anomalies | Sequence[Anomaly] | Iterable[Any] | None = None,
    windows: Iterable[tuple[Any, Any]] | None = None,
    title: str | None = None,
    label: str | None = None,
    ax: Axes | None = None,
    unit: str = "s",
) -> Figure:
    """Draw a series with its anomalies, expected range and marked windows.

    Long series are thinned so that no spike is lost; anomalies are always drawn. Needs the
    `plot` extra (matplotlib).

    Args:
        series: As for `aggregate_time_series`, without groups.
        timestamp_field: Name of the time column.
        value_field: Name of the value column.
        anomalies: Positions in order of time; or what `detect_anomalies(details=True)` or
            `AnomalyDetector.update` returned for every point, which also gives the band of
            expected values.
        windows: Pairs of start and end to shade, such as incidents or deployments.
        title: Title of the picture.
        label: Name of the value axis; the value field if omitted.
        ax: Axes to draw on; a new figure if omitted.
        unit: Unit of plain numbers.

    Returns:
        The figure; `figure.savefig("incident.png")` writes it. No window is opened.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        ValueError: An anomaly's position is not one of the series.

    Example:
        >>> values = [10, 12, 11, 10, 50, 11, 12]
        >>> figure = plot(list(enumerate(values)), anomalies=[4], title="Latency")
        >>> figure.axes[0].get_title(loc="left")
        'Latency'
    """
    try:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "plot needs matplotlib: pip install 'shared-timeseries[plot]'"
        ) from error
    points = read_points(series, timestamp_field, value_field, unit=unit)
    line = series_of(points.times, points.values, points.time_form)
    time_form = points.time_form
    dates = time_form.kind != "number"

    def across(ns: Any) -> Any:
        return ns.view("datetime64[ns]") if dates else time_form.array(ns)

    places, band = _read_anomalies(anomalies, len(line))
    if ax is None:
        ax = Figure(figsize=(11, 4), layout="constrained").add_subplot()
    shown = downsample(line, n=_MOST, method="minmaxlttb", fast=False)
    if band is not None:
        lower, upper = band
        some = np.unique(np.linspace(0, len(line) - 1, min(len(line), _MOST)).astype(int))
        style: dict[str, Any] = {"color": _BAND, "alpha": 0.15, "linewidth": 0}
        ax.fill_between(
            across(line.times[some]), lower[some], upper[some], label="expected range", **style
        )
    # A hole in the values is a hole in the line.
    gone = np.flatnonzero(np.isnan(line.values))
    drawn = np.sort(np.concatenate((shown, gone[:_MOST])))
    name = label or (value_field or points.value_name)
    ax.plot(across(line.times[drawn]), line.values[drawn], color=_LINE, linewidth=0.9, label=name)
    for number, (start, end) in enumerate(windows or ()):
        left, right = (read_time(t, "windows", unit)[0] for t in (start, end))
        edges = across(np.array([left, right], dtype=np.int64))
        shade: dict[str, Any] = {"color": _WINDOW, "alpha": 0.2, "linewidth": 0}
        ax.axvspan(*edges, label="marked window" if number == 0 else None, **shade)
    if len(places):
        circle: dict[str, Any] = {
            "marker": "o",
            "markersize": 7,
            "markeredgecolor": _ALERT,
            "markeredgewidth": 1.6,
        }
        circle |= {"linestyle": "none", "markerfacecolor": "none"}
        at, heights = across(line.times[places]), line.values[places]
        ax.plot(at, heights, label=f"anomaly ({len(places)})", **circle)
    if dates:
        locator = AutoDateLocator(tz=time_form.tz)  # type: ignore[no-untyped-call]
        ax.xaxis.set_major_locator(locator)
        shape = ConciseDateFormatter(locator, tz=time_form.tz)  # type: ignore[no-untyped-call]
        ax.xaxis.set_major_formatter(shape)
        ax.set_xlabel(str(time_form.tz) if time_form.tz else "")
    ax.set_ylabel(name)
    if title:
        ax.set_title(title, loc="left", fontweight="bold")
    ax.grid(visible=True, color="#dddddd", linewidth=0.6)
    ax.spines[["top", "right"]].set_visible(False)
    ax.margins(x=0.01)
    ax.legend(loc="upper left", frameon=True, framealpha=0.9, fontsize="small")
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def _read_anomalies(given: Any, size: int) -> tuple[Any, tuple[Any, Any] | None]:
    """Return the positions, and the lower and upper bounds if they are known."""
    if given is None:
        return np.empty(0, np.int64), None
    if isinstance(given, Anomalies):
        if len(given.lower) != size:
            raise ValueError(f"anomalies must be of {size} points, not {len(given.lower)}")
        return np.array(given.indices, dtype=np.int64), (given.lower, given.upper)
    found = list(given)
    if found and all(isinstance(each, Anomaly) for each in found):
        if len(found) != size:
            raise ValueError(f"anomalies must be of {size} points, not {len(found)}")
        places = np.flatnonzero([each.is_anomaly for each in found])
        return places, (np.array([e.lower for e in found]), np.array([e.upper for e in found]))
    places = np.array(found, dtype=np.int64).reshape(-1)
    if len(places) and (places.min() < 0 or places.max() >= size):
        raise ValueError(f"anomalies must be positions from 0 to {size - 1}, not {places.max()}")
    return places, None
