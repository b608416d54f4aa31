"""The text of a straight function: the steps of all operations for one bar, line by line.

Generated code consists of this package's text only, never a user's.
"""

from __future__ import annotations

import re


class Writer:
    """Collects the lines that operations emit.

    Args:
        scalar: Write for floats; otherwise for arrays of one value per symbol.
        warm: Write for the bars during which an operation may have no value yet (None).
        read_once: The nodes whose text stands where it is read: a variable would only cost time.

    Attributes:
        held: The names under which the function is given the streams of the nodes.
        cells: Variables that replace attributes of streams, with the attribute of each.
        lines: The steps.
        ends: Steps that are taken once the answer is known, the last one first.
    """

    def __init__(self, *, scalar: bool, warm: bool, read_once: set[int]) -> None:
        self.scalar = scalar
        self.warm = warm
        self.read_once = read_once
        self.held: list[str] = []
        self.cells: dict[str, str] = {}
        self.lines: list[str] = []
        self.ends: list[str] = []

    def hold(self, place: int) -> str:
        """Return the name of a node's stream, or of its `step`."""
        name = f"s{place}"
        self.held.append(name)
        return name

    def assign(self, place: int, text: str, args: list[str]) -> str:
        """Set the variable of a node; None while an argument is None."""
        if self.warm:
            text = f"None if {' or '.join(f'{arg} is None' for arg in args)} else {text}"
        self.lines.append(f"v{place} = {text}")
        return f"v{place}"

    def write(self, place: int, lines: tuple[str, ...], args: list[str]) -> str:
        """Write the inline lines of an operation."""
        stream, given = self.hold(place), {f"x{k}": arg for k, arg in enumerate(args)}
        for line in lines:
            text = self._in_cells(line, stream) if self.scalar else line
            self.lines.append(text.format(s=stream, v=f"v{place}", x=args[0], **given))
        return f"v{place}"

    def previous(self, place: int, value: str) -> str:
        """Return the variable that holds a value of the bar before: set when this bar is done."""
        name = self._in_cells("{s}.last", self.hold(place))
        self.ends.insert(0, f"{name} = {value}")
        return name

    def text(self, inputs: tuple[str, ...], answer: str) -> str:
        """Return the source of `make`, which returns the function of one bar and its `save`."""
        lines = [f"nonlocal {', '.join(self.cells)}"] if self.cells else []
        lines += self.lines
        if self.ends:
            lines += [f"found = {answer}", *self.ends]
            answer = "found"
        body = [
            f"def make({', '.join(['result', *self.held])}):",
            *(f"{cell} = {attribute}" for cell, attribute in self.cells.items()),
            f"def update({', '.join(inputs)}, /):",
            *(f"    {line}" for line in lines),
            f"    return {answer}",
            "def save():",
            *(f"    {attribute} = {cell}" for cell, attribute in self.cells.items()),
            "    return",
            "return update, save",
        ]
        return "\n    ".join(body)

    def _in_cells(self, line: str, stream: str) -> str:
        """Replace the attributes of a stream by variables."""

        def cell(found: re.Match[str]) -> str:
            name = f"{stream}_{found[1]}"
            self.cells[name] = f"{stream}.{found[1]}"
            return name

        return re.sub(r"\{s\}\.(\w+)", cell, line)
