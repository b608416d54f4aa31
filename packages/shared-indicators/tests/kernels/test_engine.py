"""Which kernels calculate, and what an import loads."""

import subprocess
import sys
from typing import Any

import pytest

from shared import indicators

# What is wrong on purpose is not the business of type checkers.
own: Any = indicators


def test_an_unknown_engine_is_refused():
    with (
        pytest.raises(ValueError, match="name must be one of 'auto', 'numba', 'numpy', not 'c'"),
        own.engine("c"),
    ):
        pass


def test_importing_loads_nothing_heavy():
    code = (
        "import sys, shared.indicators as i; i.RSI; "
        "print([m for m in ('numba', 'pandas', 'polars', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_numba_numpy_calculates_and_the_extra_is_named():
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "import importlib.util as u; find = u.find_spec\n"
        "import shared.indicators._kernels.engine as e\n"
        "e.find_spec = lambda name: None if name == 'numba' else find(name)\n"
        "from shared.indicators import SMA, engine\n"
        "print(SMA(2).calculate([1, 3]))\n"
        "try:\n"
        "    with engine('numba'): SMA(2).calculate([1, 3])\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "[nan  2.]",
        "engine 'numba' needs numba: pip install 'shared-indicators[fast]'",
    ]
