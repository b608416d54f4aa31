"""What the same time of day held on the days before."""

from __future__ import annotations

_DAYS = 2  # days running that make a value usual for its hour
_MARGIN = 0.1  # of a range: so far beyond it a value still belongs to it


class Days:
    """The least and the greatest value of each slot of the last days, in constant memory.

    Slots are numbered through: slot `n` lies a day after slot `n - slots`.
    """

    __slots__ = ("_ranges",)

    def __init__(self, slots: int) -> None:
        """Start without a day."""
        self._ranges: list[list[tuple[int, float, float]]] = [[] for _ in range(slots)]

    def learn(self, slot: int, value: float) -> None:
        """Take a value of a slot."""
        ranges = self._ranges[slot % len(self._ranges)]
        if not ranges or ranges[-1][0] != slot:
            ranges.append((slot, value, value))
            if (
                len(ranges) > _DAYS + 2
            ):  # this day, and the one by which the slot before may be ahead
                del ranges[0]
            return
        _, low, high = ranges[-1]
        if value < low:
            ranges[-1] = slot, value, high
        elif value > high:
            ranges[-1] = slot, low, value

    def usual(self, slot: int, value: float) -> bool:
        """Return whether each of the last days held such a value then, or in a neighbouring slot."""
        size = len(self._ranges)
        for day in range(1, _DAYS + 1):
            near = {slot - day * size + beside for beside in (-1, 0, 1)}
            found = [row for s in near for row in self._ranges[s % size] if row[0] in near]
            if not found:
                return False
            low, high = min(row[1] for row in found), max(row[2] for row in found)
            margin = _MARGIN * (high - low)
            if not low - margin <= value <= high + margin:
                return False
        return True
