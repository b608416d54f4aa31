"""Arguments that several functions check alike."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def whole(value: Any, name: str, least: int) -> int:
    """A whole number of at least `least`; ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name}: {value!r} is not a whole number of at least {least}")
    return int(value)


def above_zero(value: Any, name: str) -> float:
    """A finite number above zero; ValueError for anything else."""
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(
        value, bool
    )
    if not number or not value > 0 or math.isinf(value):
        raise ValueError(f"{name}: {value!r} is not a number above zero")
    return float(value)
