"""SystemReporter: reports for people, on the console and in a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self, TextIO

from shared.core import checks

from .._record.context import EMPTY
from .._redaction.active import get_sanitizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo
    from types import TracebackType

    from .._output.pipeline import Pipeline


class Emoji:
    """The signs at the start of console lines."""

    DEBUG: Final = "🔍"
    INFO: Final = "💡"
    SUCCESS: Final = "✅"
    WARNING: Final = "🔶"
    ERROR: Final = "❌"
    CRITICAL: Final = "🔥"
    START: Final = "🚀"
    STOP: Final = "🛑"
    TIME: Final = "⏰"
    DATA: Final = "📊"
    DATABASE: Final = "💾"
    NETWORK: Final = "🌐"
    SEARCH: Final = "🔎"
    FILE: Final = "📁"
    LOCK: Final = "🔒"


# kind: (file level, emoji, plain sign, ANSI colour, lowest verbosity that shows it)
_KINDS: Final = {
    "debug": ("debug", Emoji.DEBUG, "DEBUG", "2", 3),
    "info": ("info", Emoji.INFO, "INFO", "36", 1),
    "success": ("info", Emoji.SUCCESS, "OK", "32", 1),
    "warning": ("warning", Emoji.WARNING, "WARNING", "33", 0),
    "error": ("error", Emoji.ERROR, "ERROR", "31", 0),
    "critical": ("critical", Emoji.CRITICAL, "CRITICAL", "1;31", 0),
}


class SystemReporter:
    """Reports to a person on the console and, as JSON lines, to a file.

    The file gets everything. The console shows, by verbosity: 0 warnings and errors; 1 also
    information; 2 also the context of each message; 3 also debug messages and the time.
    Colour appears only on a terminal (and not if NO_COLOR is set). Secrets and control
    characters are removed everywhere.

    Args:
        name: The name of the reporter and of its file, `name.log`.
        log_dir: The folder of the file, created if needed; None means no file.
        verbose: 0 to 3.
        stream: The console; the current standard output if None.
        emoji: Signs instead of words, if the console can show them.
        rotate: Rotation of the file, as in `configure_logging`.
        keep: How many rotated files stay.
        clock: Returns the current moment in the given time zone.

    Raises:
        ValueError: A verbosity outside 0 to 3, or a name that is not a file name.
        TypeError: The verbosity is not a number, or the name is not a string.

    Example:
        >>> reporter = SystemReporter("import", verbose=2, emoji=False)
        >>> reporter.info("rows loaded", context={"rows": 3, "password": "x"})
        INFO rows loaded (rows=3, password=[REDACTED])
    """

    def __init__(
        self,
        name: str,
        log_dir: str | os.PathLike[str] | None = None,
        *,
        verbose: int = 1,
        stream: TextIO | None = None,
        emoji: bool = True,
        rotate: str | None = None,
        keep: int = 5,
        clock: Callable[[tzinfo], datetime] | None = None,
    ) -> None:
        self.verbose: int = checks.whole("verbose", verbose, least=0, most=3)
        self.name: str = checks.text("name", name, empty=False)
        if os.path.basename(name) != name or "\0" in name:  # noqa: PTH119 - a name, not a path
            raise checks.refuse("name", "usable as a file name", name)
        self._given = stream
        self._emoji = emoji
        self._clock = clock or datetime.now
        self._pipeline: Pipeline | None = None
        if log_dir is not None:
            from .._output.file import open_file
            from .._output.pipeline import Pipeline

            sink = open_file(os.path.join(log_dir, f"{name}.log"), rotate, keep)  # noqa: PTH118 - paths are text here
            self._pipeline = Pipeline(sink, get_sanitizer(), clock=clock)

    def debug(self, msg: str, context: Mapping[str, Any] | str | None = None) -> None:
        """Report a detail; on the console at verbosity 3."""
        self._report("debug", msg, context)

    def info(self, msg: str, context: Mapping[str, Any] | str | None = None) -> None:
        """Report progress; on the console from verbosity 1."""
        self._report("info", msg, context)

    def success(self, msg: str, context: Mapping[str, Any] | str | None = None) -> None:
        """Report that something worked; on the console from verbosity 1."""
        self._report("success", msg, context)

    def warning(self, msg: str, context: Mapping[str, Any] | str | None = None) -> None:
        """Report something unusual."""
        self._report("warning", msg, context)

    def error(self, msg: str, context: Mapping[str, Any] | str | None = None) -> None:
        """Report a failure; inside `except`, the file gets the exception too."""
        self._report("error", msg, context)

    def critical(self, msg: str, context: Mapping[str, Any] | str | None = None) -> None:
        """Report a failure that ends the program."""
        self._report("critical", msg, context)

    def close(self) -> None:
        """Close the file; the console still works."""
        if self._pipeline is not None:
            self._pipeline.sink.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _report(self, kind: str, msg: object, context: Mapping[str, Any] | str | None) -> None:
        level, emoji, word, colour, shown_from = _KINDS[kind]
        if isinstance(context, str):  # the name of a part of the program
            context = {"context": context}
        elif context is not None and not isinstance(context, Mapping):
            raise checks.refuse("context", "a mapping, a string or None", context, TypeError)
        if self._pipeline is not None:
            fields: dict[str, Any] = {str(key): value for key, value in (context or {}).items()}
            if kind == "success":
                fields.setdefault("outcome", "success")
            if level in {"error", "critical"} and sys.exc_info()[1] is not None:
                fields["exc_info"] = True
            frame = sys._getframe(2)  # noqa: SLF001 - the only cheap way to the caller
            self._pipeline.emit(self.name, EMPTY, level, msg, (), fields, frame)
        if self.verbose >= shown_from:
            self._show(emoji, word, colour, msg, context)

    def _show(
        self, emoji: str, word: str, colour: str, msg: object, context: Mapping[str, Any] | None
    ) -> None:
        stream = self._given or sys.stdout
        if stream is None:
            return
        sanitizer = get_sanitizer()
        text = printable(sanitizer.jsonable(str(msg) if isinstance(msg, str) else msg))
        if context and self.verbose >= 2:
            clean = sanitizer.jsonable(dict(context))
            pairs = ", ".join(f"{printable(k)}={printable(v)}" for k, v in clean.items())
            text = f"{text} ({pairs})"
        if self.verbose >= 3:
            text = f"{self._clock(UTC):%H:%M:%S} {printable(self.name)}: {text}"
        sign = emoji if self._emoji and _can_show(stream, emoji) else word
        line = f"{sign} {text}"
        if _is_terminal(stream):
            line = f"\x1b[{colour}m{line}\x1b[0m"
        encoding = getattr(stream, "encoding", None) or "utf-8"
        try:
            stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            stream.flush()
        except (OSError, ValueError):
            pass  # a closed console does not stop the program


def printable(value: Any) -> str:
    """Return a text that can neither break nor colour a line."""
    text = value if isinstance(value, str) else str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _is_terminal(stream: Any) -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError, OSError):
        return False


def _can_show(stream: Any, emoji: str) -> bool:
    try:
        emoji.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
