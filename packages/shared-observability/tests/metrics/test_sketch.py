"""Quantiles within the error, merging without loss."""

import json
import math
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.observability import (
    QuantileSketch,
)


def exact(values, q):
    return sorted(values)[math.floor(q * (len(values) - 1))]


def test_quantiles_of_a_million_values():
    draw = random.Random(7)
    values = [draw.lognormvariate(0, 3) for _ in range(1_000_000)]
    parts = [QuantileSketch() for _ in range(10)]
    for number, part in enumerate(parts):
        part.update(values[number::10])
    merged = QuantileSketch()
    for part in parts:
        merged.merge(QuantileSketch.from_dict(json.loads(json.dumps(part.to_dict()))))
    values.sort()
    for q in (0, 0.001, 0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1):
        true = values[math.floor(q * 999_999)]
        assert abs(merged.quantile(q) - true) <= 0.01 * true * (1 + 1e-9)
    assert merged.count == 1_000_000
    assert merged.sum == pytest.approx(math.fsum(values))
    assert (merged.min, merged.max) == (values[0], values[-1])


numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(numbers, min_size=1, max_size=60), st.floats(0, 1), st.sampled_from([0.001, 0.01, 0.1])
)
@example([0.0] * 7 + [-8.220349975881931e307, -8.228570334078163e307], 0.125, 0.001)
def test_any_quantile_is_within_the_error(values, q, error):
    sketch = QuantileSketch(error)
    sketch.update(values)
    true = exact(values, q)
    slack = 1e-9 * abs(true) + 5e-324
    assert abs(sketch.quantile(q) - true) <= error * abs(true) + slack


@given(st.lists(st.lists(st.floats(-1e6, 1e6), max_size=20), max_size=5))
def test_merging_is_the_same_as_adding(groups):
    merged, whole = QuantileSketch(), QuantileSketch()
    for group in groups:
        part = QuantileSketch()
        part.update(group)
        merged.merge(part)
        whole.update(group)
    one, two = merged.to_dict(), whole.to_dict()
    total = one.pop("sum"), two.pop("sum")
    assert one == two
    assert total[0] == pytest.approx(total[1], abs=1e-6)


def test_sketch_refuses():
    sketch = QuantileSketch()
    assert math.isnan(sketch.quantile(0.5))
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="finite"):
            sketch.add(bad)
    with pytest.raises(ValueError, match="q must"):
        sketch.quantile(1.1)
    with pytest.raises(ValueError, match="times"):
        sketch.add(1, 0)
    with pytest.raises(ValueError, match="cannot merge"):
        sketch.merge(QuantileSketch(0.1))


@pytest.mark.parametrize(
    ("bad", "kind"), [(0, ValueError), (0.5, ValueError), (True, TypeError), ("1", TypeError)]
)
def test_a_bad_error_is_named(bad, kind):
    with pytest.raises(kind, match="error must be"):
        QuantileSketch(bad)
