"""Pictures: what must be on them, without opening a window."""

import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from shared.timeseries import AnomalyDetector, TimeSeries, detect_anomalies, plot


def series(size=20_000):
    times = pd.date_range("2024-03-30", periods=size, freq="min", tz="Europe/Berlin")
    values = 50 + np.random.default_rng(0).normal(0, 3, size)
    values[size // 2] = 200
    return TimeSeries(times, values)


def test_everything_is_on_it(tmp_path):
    line = series()
    detector = AnomalyDetector()
    found = [detector.update(t, v) for t, v in line]
    start, _ = next(iter(line))
    figure = plot(
        line, anomalies=found, windows=[(start, start + pd.Timedelta("1h"))], title="CPU", label="%"
    )
    axes: Any = figure.axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    alerts = sum(f.is_anomaly for f in found)
    assert labels == ["expected range", "%", "marked window", f"anomaly ({alerts})"]
    drawn = axes.lines[0].get_ydata()
    assert len(drawn) <= 5000
    assert drawn.max() == 200
    assert axes.get_xlabel() == "Europe/Berlin"
    figure.savefig(tmp_path / "incident.png")
    assert (tmp_path / "incident.png").stat().st_size > 10_000


def test_positions_details_and_numbers():
    values = [10, 12, 11, 10, 50, 11, 12]
    for anomalies in ([4], detect_anomalies(values, details=True)):
        axes: Any = plot(list(enumerate(values)), anomalies=anomalies).axes[0]
        assert axes.lines[-1].get_xdata().tolist() == [4]
    own = Figure().add_subplot()
    assert plot(list(enumerate(values)), ax=own) is own.get_figure()
    holes: Any = plot([(0, 1.0), (1, None), (2, 3.0)]).axes[0].lines[0].get_ydata()
    assert np.isnan(holes[1])
    with pytest.raises(ValueError, match="anomalies"):
        plot(list(enumerate(values)), anomalies=[7])


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    for name in [n for n in sys.modules if n.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ModuleNotFoundError, match=r"shared-timeseries\[plot\]"):
        plot([(0, 1.0)])
