"""Configuration: which pipeline the loggers use."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from ._clean import Sanitizer, make_sanitizer
from ._context import CONTEXT, EMPTY
from ._logger import Logger, level_name
from ._pipeline import Pipeline, encode_json
from ._queue import QueuePolicy, QueueSink
from ._sink import Sink, StreamSink, open_sink
from ._state import REGISTRY, STATE, parse_level, renew_after_fork
from ._stdlib import FIELDS, PipelineHandler

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from ._fields import Record

_lock = threading.RLock()
_named: dict[str, PipelineHandler] = {}
_EXIT_SECONDS: Final = 2.0
_FORMATS: Final = ("json", "text")
_SCHEMAS: Final = (None, "otel", "ecs")


@dataclass(frozen=True, slots=True)
class LogStats:
    """What became of the lines of this process.

    Attributes:
        written: Lines handed to the operating system or the stream.
        dropped: Lines lost: a full queue, a failing or closed output.
        queued: Lines that still wait.
    """

    written: int
    dropped: int
    queued: int


def configure_logging(
    level: int | str = "INFO",
    format: Literal["json", "text"] = "json",  # noqa: A002 - the name of the contract
    output: Any = "stdout",
    service: str | None = None,
    redact: bool | Sanitizer = True,
    queue: QueuePolicy | None = None,
    intercept_stdlib: bool = True,
    schema: Literal["otel", "ecs"] | None = None,
    rotate: str | None = None,
    *,
    keep: int = 5,
    clock: Callable[[tzinfo], datetime] | None = None,
) -> None:
    """Configure logging of the whole process; may be called again at any time.

    Args:
        level: The root level: DEBUG, INFO, WARNING, ERROR or CRITICAL, in any case.
        format: "json" (one JSON object a line) or "text" (one readable line).
        output: "stdout", "stderr", the path of a file, or a stream with `write`.
        service: The value of the field `service` of every line.
        redact: True for the built-in sanitizer, a `Sanitizer` of your own, or False.
        queue: Write from a thread of its own, through a bounded queue.
        intercept_stdlib: Send records of standard logging through the same pipeline. Console
            handlers on the root logger are removed; all others stay.
        schema: Field names of JSON lines: None (ours), "otel" (OpenTelemetry's log data model)
            or "ecs" (Elastic Common Schema).
        rotate: Only with a path: a size ("100 MB") or a period ("1 day").
        keep: How many rotated files stay.
        clock: Returns the present moment in the given time zone; `datetime.now` by default.

    Raises:
        ValueError: A level, format, schema or rotation is unknown, with the valid ones.
        TypeError: The output is neither a name nor a stream.
        OSError: The file cannot be opened.

    Example:
        >>> import io
        >>> stream = io.StringIO()
        >>> configure_logging("INFO", output=stream, service="shop")
        >>> from shared.observability import get_logger
        >>> get_logger("orders").info("order placed", order_id=7, password="hunter2")
        >>> import json
        >>> line = json.loads(stream.getvalue())
        >>> line["message"], line["order_id"], line["password"], line["service"]
        ('order placed', 7, '[REDACTED]', 'shop')
    """
    number = parse_level(level)
    encode = _encoder(format, schema)
    sanitizer = make_sanitizer(redact)
    if queue is not None and not isinstance(queue, QueuePolicy):
        raise TypeError(f"queue must be a QueuePolicy or None, not {queue!r}")
    sink = _open(output, rotate, keep)
    if queue is not None:
        sink = QueueSink(sink, queue)
    with _lock:
        old = STATE.pipeline
        STATE.sanitizer = sanitizer
        STATE.pipeline = Pipeline(sink, sanitizer, encode, service, clock)
        STATE.configured = True
        STATE.use()
        REGISTRY.set(number)
        _intercept(number, active=intercept_stdlib)
        _wire_structlog()
        if old is not None:
            _retire(old)


def initialize_logging() -> None:
    """Configure logging from the environment, unless `configure_logging` was called before.

    `LOG_LEVEL` (default INFO), `LOG_FORMAT` ("json" or "text"; default text) and `LOG_OUTPUT`
    ("stdout", "stderr" or a path; default stderr).

    Raises:
        ValueError: A variable holds an unknown value; the message names the variable.
    """
    with _lock:
        if not STATE.configured:
            configure_logging(**_environment())


def initialize_quietly() -> None:
    """For the first line of a program that configures nothing: standard logging stays as it is."""
    with _lock:
        if STATE.configured:
            return
        try:
            settings = _environment()
        except ValueError as error:
            warnings.warn(f"logging is not configured as asked: {error}", stacklevel=4)
            settings = dict[str, Any](level="INFO", format="text", output="stderr")
        configure_logging(**settings, intercept_stdlib=False)
        STATE.configured = False  # a later initialize_logging() still counts


def _environment() -> dict[str, Any]:
    level = os.environ.get("LOG_LEVEL") or "INFO"
    parse_level(level, "LOG_LEVEL")
    shape = os.environ.get("LOG_FORMAT") or "text"
    _encoder(shape, None, "LOG_FORMAT")
    return {"level": level, "format": shape, "output": os.environ.get("LOG_OUTPUT") or "stderr"}


def set_log_level(level: int | str, name: str | None = None) -> None:
    """Change the level of all loggers, or of one name and those below it.

    It is live: loggers already handed out follow, and so does standard logging.

    Args:
        level: DEBUG, INFO, WARNING, ERROR or CRITICAL, in any case, or a number.
        name: A logger name; None means the root.

    Raises:
        ValueError: The level is unknown.
    """
    number = parse_level(level)
    with _lock:
        REGISTRY.set(number, name or "")
        logging.getLogger(name or None).setLevel(number)


def setup_logger(
    name: str,
    level: int | str = "INFO",
    format_type: Literal["json", "text"] = "text",
    output: Any = "stdout",
) -> logging.Logger:
    """Return a standard logger whose records take the same pipeline to an output of their own.

    Calling it again replaces the handler: no line appears twice.

    Args:
        name: The logger's name.
        level: Its level.
        format_type: "json" or "text".
        output: "stdout", "stderr", a path or a stream.

    Returns:
        `logging.getLogger(name)`; fields go into `extra=`.

    Example:
        >>> setup_logger("plain", "WARNING").name
        'plain'
    """
    number = parse_level(level)
    encode = _encoder(format_type, None, "format_type")
    sanitizer = STATE.sanitizer or Sanitizer()
    handler = PipelineHandler(Pipeline(_open(output, None, 1), sanitizer, encode))
    logger = logging.getLogger(name)
    with _lock:
        old = _named.pop(name, None)
        if old is not None:
            logger.removeHandler(old)
            if old.pipeline:
                _retire(old.pipeline)
        _named[name] = handler
        logger.addHandler(handler)
        logger.propagate = False
        logger.setLevel(number)
        REGISTRY.set(number, name)
    return logger


def log_with_context(
    logger: Logger | logging.Logger, level: int | str, message: str, **context: Any
) -> None:
    """Log one line with fields, through our loggers and standard ones alike.

    Args:
        logger: A logger from `get_logger`, `setup_logger` or `logging.getLogger`.
        level: The level by name or number.
        message: The message; a `%` in it stays as it is.
        **context: The fields.
    """
    number = parse_level(level)
    if isinstance(logger, logging.Logger):
        if logger.isEnabledFor(number):
            logger.log(number, message, extra={FIELDS: context}, stacklevel=2)
    elif logger._core.level <= number:  # noqa: SLF001 - our own class
        frame = sys._getframe(1)  # noqa: SLF001
        bound = logger._bound  # noqa: SLF001
        STATE.emit(logger.name, bound, level_name(number), message, (), context, frame)


@renew_after_fork
def _renew() -> None:
    global _lock  # noqa: PLW0603
    _lock = threading.RLock()


def flush(timeout: float = 5.0) -> bool:
    """Wait until the lines logged so far are written.

    Args:
        timeout: Seconds.

    Returns:
        Whether all are written.
    """
    done = True
    for pipeline in _pipelines():
        sink = pipeline.sink
        if isinstance(sink, QueueSink):
            done = sink.drain(timeout) and done
        sink.flush()
    return done


def stats() -> LogStats:
    """Count the lines of this process: written, dropped, still queued."""
    written, dropped = STATE.retired
    queued = 0
    for pipeline in _pipelines():
        sink = pipeline.sink
        dropped += sink.dropped
        if isinstance(sink, QueueSink):
            queued += sink.queued
            sink = sink.inner
            dropped += sink.dropped
        written += sink.written
    return LogStats(written, dropped, queued)


def _pipelines() -> list[Pipeline]:
    own = [handler.pipeline for handler in list(_named.values())]
    return [pipeline for pipeline in (STATE.pipeline, *own) if pipeline is not None]


def _retire(pipeline: Pipeline) -> None:
    """Write what waits, close, and keep the counts."""
    sink = pipeline.sink
    parts = [sink]
    if isinstance(sink, QueueSink):
        sink.drain(_EXIT_SECONDS)
        parts.append(sink.inner)
    sink.close()
    STATE.retired[0] += parts[-1].written
    STATE.retired[1] += sum(part.dropped for part in parts)


def _encoder(
    format: str,  # noqa: A002
    schema: str | None,
    argument: str = "format",
) -> Callable[[Record], bytes]:
    if format not in _FORMATS:
        raise ValueError(f"{argument} must be one of {', '.join(_FORMATS)}, not {format!r}")
    if schema not in _SCHEMAS:
        raise ValueError(f"schema must be None, otel or ecs, not {schema!r}")
    if format == "text":
        from ._text import encode_text

        return encode_text
    if schema is None:
        return encode_json
    from ._schema import make_schema_encoder

    return make_schema_encoder(schema)


def _open(output: object, rotate: str | None, keep: int) -> Sink:
    if isinstance(output, os.PathLike) or (
        isinstance(output, str) and output not in {"stdout", "stderr"}
    ):
        from ._file import open_file

        return open_file(os.fsdecode(output), rotate, keep)
    if rotate is not None:
        raise ValueError(f"rotate={rotate!r} needs the path of a file as output, not {output!r}")
    if isinstance(output, str):
        stream = getattr(sys, output)
        if stream is None:  # pythonw and some services have none
            return open_sink(os.open(os.devnull, os.O_WRONLY), owned=True)
        try:
            descriptor = stream.fileno()
        except (OSError, ValueError, AttributeError):
            return StreamSink(stream)
        stream.flush()
        return open_sink(descriptor)
    if not callable(getattr(output, "write", None)):
        raise TypeError(
            f"output must be 'stdout', 'stderr', a path or a stream with write(), not {output!r}"
        )
    return StreamSink(cast("Any", output))


def _intercept(number: int, *, active: bool) -> None:
    root = logging.getLogger()
    for handler in list(root.handlers):
        # Consoles would show every line twice; whatever else listens there may stay.
        ours = isinstance(handler, PipelineHandler)
        if ours or (active and type(handler) is logging.StreamHandler):
            root.removeHandler(handler)
    if active:
        root.addHandler(PipelineHandler())
        root.setLevel(number)


def _wire_structlog() -> None:
    """Let `structlog.get_logger()` of other libraries end in the same pipeline."""
    import structlog

    from ._structlog import StructlogLogger, make_core

    structlog.configure(
        processors=[],
        wrapper_class=cast("Any", StructlogLogger),
        logger_factory=make_core,
        cache_logger_on_first_use=False,
    )


def reset() -> None:
    """Forget every configuration, as if the process had just started; for tests."""
    with _lock:
        if STATE.pipeline is not None:
            _retire(STATE.pipeline)
        for name in list(_named):
            handler, logger = _named.pop(name), logging.getLogger(name)
            logger.removeHandler(handler)
            logger.propagate = True
            logger.setLevel(logging.NOTSET)
            if handler.pipeline:
                _retire(handler.pipeline)
        _intercept(0, active=False)
        if "structlog" in sys.modules:
            sys.modules["structlog"].reset_defaults()
        STATE.pipeline = STATE.capture = STATE.sanitizer = None
        STATE.configured = False
        STATE.retired[:] = [0, 0]
        STATE.use()
        REGISTRY.reset()
        CONTEXT.set(EMPTY)


@atexit.register
def _at_exit() -> None:
    for pipeline in _pipelines():
        if isinstance(pipeline.sink, QueueSink):
            pipeline.sink.finish(_EXIT_SECONDS)
        pipeline.sink.flush()
