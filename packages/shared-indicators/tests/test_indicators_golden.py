"""Plain-text golden cases, one file an indicator: tests/golden/<Name>.txt.

Lines of a file: `parameters: period=14`, the inputs (`close: 1 2 3`; without them the bars of bars.txt),
the outputs (`rsi: nan nan 50`, or `last rsi: 50` for the last values only), `places: 5` for published
values that are rounded, and a comment with the source.
"""

from pathlib import Path

import numpy as np
import pytest

from shared import indicators as own

GOLDEN = Path(__file__).parent / "golden"


def read(path):
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    assert lines[0].startswith("# "), f"{path.name}: the first line names the source"
    return dict(line.split(":", 1) for line in lines if not line.startswith("#"))


def numbers(text):
    return np.array([float(x) for x in text.split()])


BARS = {name: numbers(text) for name, text in read(GOLDEN / "bars.txt").items()}


@pytest.mark.parametrize("name", own.available())
def test_golden(engine, name):
    case = read(GOLDEN / f"{name}.txt")
    given = dict(pair.split("=") for pair in case.pop("parameters").split())
    indicator = own.available()[name].indicator(
        **{k: float(v) if "." in v else int(v) for k, v in given.items()}
    )
    places = int(case.pop("places", 0))
    inputs = [numbers(case.pop(i)) if i in case else BARS[i] for i in indicator.inputs]
    result = indicator.calculate(*inputs)
    outputs = dict(
        zip(indicator.outputs, result if isinstance(result, tuple) else (result,), strict=True)
    )
    assert {key.removeprefix("last ") for key in case} == set(outputs)
    for key, text in case.items():
        expected = numbers(text)
        found = outputs[key.removeprefix("last ")][-len(expected) :]
        relative, absolute = (0.0, 1.01 * 10.0**-places) if places else (1e-9, 1e-9)
        np.testing.assert_allclose(found, expected, rtol=relative, atol=absolute)
