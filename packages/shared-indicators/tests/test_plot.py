"""The price chart."""

import pandas as pd
import pytest

from shared import indicators as own

PATTERNS = own.available_patterns()


def test_plot_draws_what_was_asked(make_bars, tmp_path):
    frame = pd.DataFrame(make_bars(120), index=pd.date_range("2024-01-01", periods=120))
    every_indicator = [spec.indicator() for spec in own.available().values()]
    with own.engine("numpy"):
        figure = own.plot(frame, every_indicator, [p() for p in PATTERNS.values()], title="all")
    below = [i for i in every_indicator if i.group != "overlap" and not i.on_price]
    assert len(figure.axes) == 1 + len(below)
    assert figure.axes[0].get_title(loc="left") == "all"
    figure = own.plot(make_bars(120), [own.RSI()], [own.SwingPivots()])
    figure.savefig(tmp_path / "chart.png")
    assert (tmp_path / "chart.png").stat().st_size > 10_000
    with pytest.raises(TypeError, match="input 'volume' is missing"):
        own.plot({k: v for k, v in make_bars(30).items() if k != "volume"}, [own.OBV()])
