"""One record in, one line out: everything between a logging call and the sink, in one pass.

Hot: measured in benchmarks/RESULTS.md, see decision 0040. `emit` does no more than the line
needs. A key is judged once and remembered; short texts are looked up in a cache and longer ones
pass a substring gate; bound fields are clean already; orjson formats the datetime. What orjson
refuses is made plain by the careful code in `_rescue`, and what fails even there becomes a line
that reports it.
"""

from __future__ import annotations

import contextlib
import os.path
import sys
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final

import orjson

from shared.core.redaction import PLAIN

from .._record.context import CONTEXT
from .._record.exceptions import describe, find_exception
from .._record.fields import RESERVED, Record, clean_field, field_name, interpolate, stack
from .._record.structlog import STRUCTLOG
from .._redaction.texts import SCALARS, encodable, text_of
from .caplog import with_caplog
from .encode import OPTIONS, encode_json, escape_breakers, stamp_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from logging import LogRecord
    from types import FrameType

    from .._record.context import Bound
    from .._redaction.sanitizer import Sanitizer
    from .sink import Sink

_MODULES: dict[str, str] = {}
_KEY_LIMIT: Final = 4_096


def module_of(filename: str) -> str:
    """Return the name of a source file without folder and suffix, as standard logging does."""
    name = _MODULES.get(filename)
    if name is None:
        name = encodable(os.path.splitext(os.path.basename(filename))[0])  # noqa: PTH119, PTH122 - a hot path
        _MODULES[filename] = name
    return name


class Pipeline:
    """The path of a record to its sink.

    Args:
        sink: Accepts the finished lines.
        sanitizer: Removes secrets.
        encode: Turns a record into a line with its newline.
        service: The value of the field `service`.
        clock: Returns the current moment in the given time zone, as `datetime.now` does.

    Attributes:
        emit: Writes one record; never raises. Its arguments are the logger's name and bound
            fields, the name of the level, the message with its `%` arguments, the fields (which
            it may change), and the caller's frame or a record of standard logging.
    """

    def __init__(
        self,
        sink: Sink,
        sanitizer: Sanitizer,
        encode: Callable[[Record], bytes] = encode_json,
        service: str | None = None,
        clock: Callable[[tzinfo], datetime] | None = None,
    ) -> None:
        self.sink = sink
        self.sanitizer = sanitizer
        self.encode = encode
        self.service = None if service is None else encodable(sanitizer.text(text_of(service)))
        self._plain: set[str] = set()
        self.emit = with_caplog(self._make_emit(clock or datetime.now), sanitizer)

    def _make_emit(self, now: Callable[[tzinfo], datetime]) -> Callable[..., None]:
        # A closure: CPython finds local names fastest.
        sanitizer, encode = self.sanitizer, self.encode
        static = {} if self.service is None else {"service": self.service}
        nothing: Record = {}
        write, fields, rescue = self.sink.write, self._fields, self._rescue
        learn, seen = sanitizer.learn, sanitizer.texts.get
        jsonable, plain = sanitizer.jsonable, self._plain
        moment_of, dumps, plain_json = datetime.fromtimestamp, orjson.dumps, encode is encode_json
        spans = _Spans()
        loaded, modules, scalars = sys.modules, _MODULES, SCALARS
        config, variables = STRUCTLOG.config, STRUCTLOG.variables

        def emit(
            name: str,
            bound: Bound,
            level: str,
            event: Any,
            args: tuple[Any, ...],
            kw: dict[str, Any],
            frame: FrameType | None,
            foreign: LogRecord | None = None,
        ) -> None:
            record = nothing
            try:
                if config.default_processors and foreign is None:
                    processed = STRUCTLOG.process(name, level, event, args, kw, bound)
                    if processed is None:
                        return
                    event, args, kw, bound = processed
                message = interpolate(event, args, sanitizer) if args else event
                if type(message) is not str:
                    message = sanitizer.text(text_of(message))
                elif (known := seen(message)) is not message:
                    message = learn(message) if known is None else known
                for key, value in kw.items():
                    if key not in plain:
                        kw = fields(kw)
                        break
                    kind = type(value)
                    if kind is str:
                        if (known := seen(value)) is not value:
                            kw[key] = learn(value) if known is None else known
                    elif kind not in scalars:
                        kw[key] = jsonable(value)
                context = CONTEXT.get()
                if context.suppressed:
                    kw = {"suppressed": context.suppressed, **kw}
                    CONTEXT.set(context.derive(context.raw))
                if frame is not None:
                    code = frame.f_code
                    moment = now(UTC)
                    module = modules.get(code.co_filename) or module_of(code.co_filename)
                    function = code.co_name
                    number = frame.f_lineno
                else:
                    assert foreign is not None
                    moment = moment_of(foreign.created, UTC)
                    module, function = foreign.module, foreign.funcName or ""
                    number = foreign.lineno
                span = nothing
                if "opentelemetry.trace" in loaded and (current := spans.get()):
                    span = span_fields(current)
                record = {
                    "timestamp": moment if moment.microsecond else stamp_of(moment),
                    "level": level,
                    "logger": name,
                    "message": message,
                    "module": module,
                    "function": function,
                    "line": number,
                    **static,
                    **span,
                    **(STRUCTLOG.fields(sanitizer) if variables else nothing),
                    **(context.fields if context.sanitizer is sanitizer else context.clean()),
                    **(bound.fields if bound.sanitizer is sanitizer else bound.clean()),
                    **kw,
                }
                if plain_json:  # `encode_json` without its call, which costs 3 to 5 %
                    line = dumps(record, None, OPTIONS)
                    if not line.isascii():
                        line = escape_breakers(line)
                else:
                    line = encode(record)
            except Exception as error:  # noqa: BLE001 - logging must not fail its caller
                rescue(record, level, name, event, error)
                return
            write(line)

        return emit

    def _fields(self, given: Mapping[str, Any]) -> Record:
        """Judge the fields of one call one by one; remember which keys are plain."""
        fields: Record = {}
        for key, value in given.items():
            if key == "exc_info":
                if (error := find_exception(value)) is not None:
                    fields["exception"] = describe(error, self.sanitizer)
            elif key == "stack_info":
                if value:
                    fields["stack"] = stack(value)
            else:
                if key == "correlation_id" and key not in CONTEXT.get().raw:
                    name = key
                else:
                    name = field_name(key, self.sanitizer, given)
                    if name == key and key not in RESERVED and self.sanitizer.verdict(key) == PLAIN:
                        if len(self._plain) >= _KEY_LIMIT:
                            self._plain.clear()
                        self._plain.add(key)
                fields[name] = clean_field(key, value, self.sanitizer)
        return fields

    def _rescue(self, record: Record, level: str, name: str, event: Any, error: Exception) -> None:
        """Write a record that orjson refused, or a short one in place of what could not be built."""
        try:
            moment = record.get("timestamp") or datetime.now(UTC)
            stamp = moment if isinstance(moment, str) else stamp_of(moment)
            if record:
                try:
                    clean = self.sanitizer.jsonable({**record, "timestamp": stamp})
                    self.sink.write(self.encode(clean))
                except Exception as failure:  # noqa: BLE001 - the short one has to do
                    error = failure
                else:
                    return
            short = {
                "timestamp": stamp,
                "level": level,
                "logger": encodable(text_of(name)),
                "message": encodable(self.sanitizer.text(text_of(event))),
                "logging_error": type(error).__name__,
            }
            self.sink.write(self.encode(short))
        except Exception:  # noqa: BLE001 - no memory or no stack left
            self.sink.dropped += 1


class _Spans:
    """`get()` returns OpenTelemetry's current context; called once OpenTelemetry is loaded."""

    __slots__ = ("get",)

    def __init__(self) -> None:
        self.get: Callable[[], Any] = self._find

    def _find(self) -> Any:
        """Find the fastest way, the first time."""
        module: Any = sys.modules.get("opentelemetry.context")
        public = getattr(module, "get_current", None)
        if public is None:  # another thread is just importing it
            return None
        runtime = getattr(module, "_RUNTIME_CONTEXT", None)
        variable = getattr(runtime, "_current_context", None)
        self.get = variable.get if isinstance(variable, ContextVar) else public
        return self.get()


def span_fields(current: Any) -> Record:
    """Return the ids of the span in a context, if there is one."""
    with contextlib.suppress(Exception):  # a foreign span must not cost the line its fields
        span = sys.modules["opentelemetry.trace"].get_current_span(current).get_span_context()
        if span.is_valid:
            return {"trace_id": f"{span.trace_id:032x}", "span_id": f"{span.span_id:016x}"}
    return {}
