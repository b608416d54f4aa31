"""Shared by the tests: both engines, and bars of several kinds."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

# Compiled code is kept between runs, outside the source tree.
os.environ.setdefault(
    "NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"shared-indicators-numba-{os.getuid()}")
)


@pytest.fixture(params=["numpy", "numba"])
def engine(request):
    """Every test that takes this runs on both sets of kernels."""
    from shared import indicators

    with indicators.engine(request.param):
        yield request.param


def bars_of(n, seed=1, start=100.0):
    """Bars of a random walk."""
    rng = np.random.default_rng(seed)
    close = start * np.exp(np.cumsum(rng.normal(size=n)) * 0.01)
    first = close * np.exp(rng.normal(size=n) * 0.005)
    spread = np.abs(rng.normal(size=(2, n))) * 0.005
    return {
        "open": first,
        "high": np.maximum(first, close) * (1 + spread[0]),
        "low": np.minimum(first, close) * (1 - spread[1]),
        "close": close,
        "volume": rng.integers(1_000, 100_000, size=n).astype(float),
    }


@pytest.fixture
def make_bars():
    return bars_of


@pytest.fixture
def lines():
    """The outputs of an indicator as one array, outputs x ..."""

    def stack(result):
        return np.array(result if isinstance(result, tuple) else (result,))

    return stack
