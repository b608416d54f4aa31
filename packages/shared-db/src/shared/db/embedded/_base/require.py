"""Finding an optional library without importing it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from ..._base.errors import DriverMissing


def require(module: str, extra: str, library: str) -> Path:
    """Return the folder of an installed library.

    Raises:
        DriverMissing: It is not installed; the error names the extra.
    """
    spec = None
    if module not in sys.modules or sys.modules[module] is not None:
        spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise DriverMissing(extra, library)
    return Path(spec.origin).parent
