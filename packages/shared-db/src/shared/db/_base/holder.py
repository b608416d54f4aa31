"""Where a connection was taken: cheap to note, readable when it matters."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType, FrameType

# The package's folder: its frames are not the caller's.
_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep  # noqa: PTH120 - pathlib would be imported
_DEPTH = 5


class Holder:
    """The stack that took a connection (the innermost frames outside this package) and when."""

    __slots__ = ("_frames", "since", "task")

    def __init__(self, since: float, task: object) -> None:
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the documented way to a frame
        frames: list[tuple[CodeType, int]] = []
        while frame is not None and len(frames) < _DEPTH:
            code = frame.f_code
            if frames or not (
                code.co_filename.startswith(_PACKAGE) or code.co_filename.endswith("contextlib.py")
            ):
                frames.append((code, frame.f_lineno))
            frame = frame.f_back
        self._frames = frames
        self.since = since
        self.task = task

    @property
    def place(self) -> str:
        """`file:line in function` of the caller."""
        if not self._frames:
            return "unknown"
        code, line = self._frames[0]
        return f"{code.co_filename}:{line} in {code.co_name}"

    @property
    def stack(self) -> str:
        """All the noted frames, the caller first."""
        return "\n".join(
            f"  {code.co_filename}:{line} in {code.co_name}" for code, line in self._frames
        )
