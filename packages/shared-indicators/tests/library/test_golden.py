"""Plain-text golden cases, one file per indicator: golden/<Name>.txt, one or more cases each.

A case is a comment with its source and the lines `parameters: period=14` (which begins it), the inputs
(`close: 1 2 3`; without them those of bars.txt, or of another file: `bars: bars-spy.txt`), the outputs
(`rsi: nan nan 50`, or `last rsi: 50` for the last values only) and `places: 5` for published values that
are rounded.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from shared import indicators as own

GOLDEN = Path(__file__).parent / "golden"


def read(name):
    lines = [line for line in (GOLDEN / name).read_text().splitlines() if line.strip()]
    assert lines[0].startswith("# "), f"{name}: the first line names the source"
    cases: list[dict[str, str]] = [{}]
    for line in lines:
        if line.startswith("#"):
            continue
        key, _, text = line.partition(":")
        if key == "parameters" and cases[-1]:
            cases.append({})
        cases[-1][key] = text.strip()
    return cases


def numbers(text):
    return np.array([float(x) for x in text.split()])


@lru_cache
def bars(name):
    return {key: numbers(text) for key, text in read(name)[0].items()}


CASES = [
    pytest.param(name, case, id=f"{name}-{i}")
    for name in own.available()
    for i, case in enumerate(read(f"{name}.txt"), 1)
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_published_numbers_are_met(engine, name, case):
    case = dict(case)
    given = dict(pair.split("=") for pair in case.pop("parameters").split())
    indicator = own.available()[name].indicator(
        **{k: v if v.isalpha() else float(v) if "." in v else int(v) for k, v in given.items()}
    )
    places = int(case.pop("places", 0))
    shared = bars(case.pop("bars", "bars.txt"))
    inputs = [numbers(case.pop(i)) if i in case else shared[i] for i in indicator.inputs]
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
