"""The check that indicators add to those of core."""

from __future__ import annotations

from shared.core.checks import refuse


def increasing(**named: int) -> None:
    """Refuse two numbers unless the first is smaller than the second."""
    (name, first), (other, second) = named.items()
    if first >= second:
        raise refuse(name, f"smaller than {other}={second}", first)
