"""Configuration: which pipeline the loggers use."""

from __future__ import annotations

import atexit
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from shared.core import checks

from ._base.levels import level_name, parse_level
from ._logging.servers import take_over
from ._logging.state import STATE, from_environment
from ._logging.stdlib import FIELDS, PipelineHandler
from ._output.choose import choose_encoder, open_output
from ._output.pipeline import Pipeline
from ._output.queue import QueuePolicy, QueueSink
from ._record.context import CONTEXT, EMPTY
from ._record.structlog import STRUCTLOG
from ._redaction.active import get_sanitizer, set_sanitizer
from ._redaction.sanitizer import Sanitizer, make_sanitizer

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from ._logging.logger import Logger

_named: dict[str, PipelineHandler] = {}
_EXIT_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class LogStats:
    """The lines of this process.

    Attributes:
        written: Lines passed to the operating system or the stream.
        dropped: Lines lost to a full queue, or to a failing or closed output.
        queued: Lines that are still waiting.
    """

    written: int
    dropped: int
    queued: int


def configure_logging(
    level: int | str = "INFO",
    *,
    format: Literal["json", "text"] = "json",  # noqa: A002 - the name of the contract
    output: Any = "stdout",
    service: str | None = None,
    redact: bool | Sanitizer = True,
    queue: QueuePolicy | None = None,
    intercept_stdlib: bool = True,
    schema: Literal["otel", "ecs"] | None = None,
    rotate: str | None = None,
    keep: int = 5,
    log_file: str | os.PathLike[str] | None = None,
    clock: Callable[[tzinfo], datetime] | None = None,
) -> None:
    """Configure logging of the whole process; may be called again at any time.

    Args:
        level: The root level: DEBUG, INFO, WARNING, ERROR or CRITICAL, in any case.
        format: "json" (one JSON object per line) or "text" (one readable line).
        output: "stdout", "stderr", the path of a file, or a stream with `write`.
        service: The value of the field `service` of every line.
        redact: True for the built-in sanitizer, your own `Sanitizer`, or False.
        queue: Write from a separate thread, through a bounded queue.
        intercept_stdlib: Send records of standard logging through the same pipeline. Console
            handlers of the root logger and of web servers (such as those that the command
            `uvicorn` installs) are removed; all others stay.
        schema: Field names of JSON lines: None (ours), "otel" (OpenTelemetry's log data model)
            or "ecs" (Elastic Common Schema).
        rotate: Only with a path: a size ("100 MB") or a period ("1 day").
        keep: How many rotated files stay.
        log_file: An old name for the path of `output`; pass one of them.
        clock: Returns the current moment in the given time zone; `datetime.now` by default.

    Raises:
        ValueError: A level, format, schema or rotation is unknown; the message lists the valid
            ones.
        TypeError: The output is neither a name nor a stream, or the level is not a level at all.
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
    if log_file is not None:
        if output != "stdout":
            raise checks.refuse("output", "left out if log_file is given", output)
        output = Path(log_file)
    encode = choose_encoder(format, schema)
    sanitizer = make_sanitizer(redact)
    if queue is not None and not isinstance(queue, QueuePolicy):
        raise checks.refuse("queue", "a QueuePolicy or None", queue, TypeError)
    sink = open_output(output, rotate, keep)
    if queue is not None:
        sink = QueueSink(sink, queue)
    with STATE.lock:
        old = STATE.pipeline
        _wire_structlog()  # first: the pipeline looks at structlog's configuration
        set_sanitizer(sanitizer)
        STATE.pipeline = Pipeline(sink, sanitizer, encode, service, clock)
        STATE.configured = True
        STATE.use()
        STATE.levels.set(number)
        _intercept(number, active=intercept_stdlib)
        if old is not None:
            _retire(old)


def initialize_logging() -> None:
    """Configure logging from the environment, unless `configure_logging` was called before.

    `LOG_LEVEL` (default INFO), `LOG_FORMAT` ("json" or "text"; default json) and `LOG_OUTPUT`
    ("stdout", "stderr" or a path; default stdout): the defaults of `configure_logging`.

    Raises:
        ValueError: A variable has an unknown value; the message names the variable.
    """
    with STATE.lock:
        if not STATE.configured:
            configure_logging(**from_environment(format="json", output="stdout"))  # type: ignore[arg-type] # checked


def set_log_level(level: int | str, name: str | None = None) -> None:
    """Change the level of all loggers, or of one name and those below it.

    It also reaches existing loggers and standard logging.

    Args:
        level: DEBUG, INFO, WARNING, ERROR or CRITICAL, in any case, or a number.
        name: A logger name; None means the root.

    Raises:
        ValueError: The level is unknown.
    """
    number = parse_level(level)
    with STATE.lock:
        STATE.levels.set(number, name or "")
        logging.getLogger(name or None).setLevel(number)


def setup_logger(
    name: str,
    level: int | str = "INFO",
    format_type: Literal["json", "text"] = "text",
    output: Any = "stdout",
) -> logging.Logger:
    """Return a standard logger whose records go through the same pipeline to their own output.

    A second call replaces the handler: no line appears twice.

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
    encode = choose_encoder(format_type, argument="format_type")
    handler = PipelineHandler(Pipeline(open_output(output), get_sanitizer(), encode))
    logger = logging.getLogger(name)
    with STATE.lock:
        old = _named.pop(name, None)
        if old is not None:
            logger.removeHandler(old)
            if old.pipeline:
                _retire(old.pipeline)
        _named[name] = handler
        logger.addHandler(handler)
        logger.propagate = False
        logger.setLevel(number)
        STATE.levels.set(number, name)
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
    elif logger.is_enabled_for(number):
        frame = sys._getframe(1)  # noqa: SLF001 - the only cheap way to the caller
        bound = logger._bound  # noqa: SLF001 - our own class
        STATE.emit(logger.name, bound, level_name(number), message, (), context, frame)


def flush(timeout: float = 5.0) -> bool:
    """Wait until the lines logged so far are written.

    Args:
        timeout: Seconds.

    Returns:
        Whether all are written.
    """
    done = [pipeline.sink.drain(timeout) for pipeline in _pipelines()]
    return all(done)


def stats() -> LogStats:
    """Count the lines of this process: written, dropped, still queued."""
    counts = [pipeline.sink.counts() for pipeline in _pipelines()]
    return LogStats(*(sum(column) for column in zip((*STATE.retired, 0), *counts, strict=True)))


def _pipelines() -> list[Pipeline]:
    own = [handler.pipeline for handler in list(_named.values())]
    return [pipeline for pipeline in (STATE.pipeline, *own) if pipeline is not None]


def _retire(pipeline: Pipeline) -> None:
    """Write what waits, close, and keep the counts."""
    pipeline.sink.drain(_EXIT_SECONDS)
    pipeline.sink.close()
    written, dropped, _ = pipeline.sink.counts()
    STATE.retired[0] += written
    STATE.retired[1] += dropped


def _intercept(number: int, *, active: bool) -> None:
    root = logging.getLogger()
    for handler in list(root.handlers):
        # Consoles would show every line twice; all other handlers may stay.
        ours = isinstance(handler, PipelineHandler)
        if ours or (active and type(handler) is logging.StreamHandler):
            root.removeHandler(handler)
    STATE.intercepting = active
    if active:
        root.addHandler(PipelineHandler())
        root.setLevel(number)
        take_over()


def _wire_structlog() -> None:
    """Let `structlog.get_logger()` of other libraries end in the same pipeline.

    Processors that structlog is configured with later run before it, for our loggers too.
    """
    import structlog

    from ._logging.structlog import StructlogLogger, make_core

    structlog.configure(
        processors=[],
        wrapper_class=cast("Any", StructlogLogger),
        logger_factory=make_core,
        cache_logger_on_first_use=False,
    )
    STRUCTLOG.adopt(StructlogLogger)


def reset() -> None:
    """Forget every configuration, as if the process had just started; for tests."""
    with STATE.lock:
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
        STATE.pipeline = STATE.capture = None
        set_sanitizer(None)
        STATE.configured = False
        STATE.retired[:] = [0, 0]
        STATE.use()
        STATE.levels.reset()
        CONTEXT.set(EMPTY)


@atexit.register
def _at_exit() -> None:
    for pipeline in _pipelines():
        pipeline.sink.finish(_EXIT_SECONDS)
