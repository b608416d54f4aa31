"""One record in, one line out: everything between a logging call and the sink, in one pass.

The hot path does no more than the line needs. A key is judged once and remembered; short texts
pass a substring gate and longer ones a cache; bound fields come clean already; orjson formats
the datetime. Whatever does not fit (containers, objects, secrets, exceptions, reserved names)
leaves the path for the careful code, and what fails even there becomes a line that says so.
"""

from __future__ import annotations

import os.path
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final

import orjson

from ._clean import SCALARS, Sanitizer, encodable, text_of
from ._context import CONTEXT, Bound
from ._exceptions import describe, find_exception
from ._fields import RESERVED, Record, clean_field, field_name, interpolate, stack
from ._secrets import PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from logging import LogRecord
    from types import FrameType

    from ._sink import Sink

_OPTIONS: Final = (
    orjson.OPT_UTC_Z
    | orjson.OPT_APPEND_NEWLINE
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATACLASS
)
# C1 controls (U+0085 and U+009B among them) and the line separators, as UTF-8.
_BREAKERS: Final = re.compile(rb"\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]")
_MODULES: dict[str, str] = {}
_KEY_LIMIT: Final = 4_096


def encode_json(record: Record) -> bytes:
    """One strict JSON line; the record holds only what orjson takes."""
    line = orjson.dumps(record, None, _OPTIONS)
    if not line.isascii():
        line = _BREAKERS.sub(_escape, line)
    return line


def _escape(match: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % ord(match[0].decode())


def stamp_of(moment: datetime) -> str:
    """RFC 3339 in UTC, always with microseconds, which orjson leaves out when they are zero."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def module_of(filename: str) -> str:
    """The name of a source file without folder and suffix, as in standard logging."""
    name = _MODULES.get(filename)
    if name is None:
        name = encodable(os.path.splitext(os.path.basename(filename))[0])  # noqa: PTH119, PTH122
        _MODULES[filename] = name
    return name


class Pipeline:
    """The way of a record to its sink.

    Args:
        sink: Takes the finished lines.
        sanitizer: Takes the secrets out.
        encode: Turns a record into a line with its newline.
        service: The value of the field `service`.
        clock: Returns the present moment in the time zone given, as `datetime.now` does.
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
        self.clock = clock
        self._plain: set[str] = set()
        self.emit = self._make_emit()

    def _make_emit(self) -> Callable[..., None]:
        sanitizer, encode = self.sanitizer, self.encode
        static = {} if self.service is None else {"service": self.service}
        nothing: Record = {}
        write, fields, rescue = self.sink.write, self._fields, self._rescue
        fresh, seen = sanitizer.fresh, sanitizer.texts.get
        jsonable, plain = sanitizer.jsonable, self._plain
        now, moment_of = self.clock or datetime.now, datetime.fromtimestamp
        plain_json, dumps = encode is encode_json, orjson.dumps
        spans = _Spans()
        loaded, modules, scalars = sys.modules, _MODULES, SCALARS

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
            try:
                message = interpolate(event, args, sanitizer) if args else event
                if type(message) is not str:
                    message = sanitizer.text(text_of(message))
                elif (known := seen(message)) is not message:
                    message = fresh(message) if known is None else known
                for key, value in kw.items():
                    if key not in plain:
                        kw = fields(kw)
                        break
                    kind = type(value)
                    if kind is str:
                        if (known := seen(value)) is not value:
                            kw[key] = fresh(value) if known is None else known
                    elif kind not in scalars:
                        kw[key] = jsonable(value)
                context = CONTEXT.get()
                if context.suppressed:
                    kw = {"suppressed": context.suppressed, **kw}
                    CONTEXT.set(Bound(context.raw))
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
                    **(context.fields if context.sanitizer is sanitizer else context.clean()),
                    **(bound.fields if bound.sanitizer is sanitizer else bound.clean()),
                    **kw,
                }
                if plain_json:
                    line = dumps(record, None, _OPTIONS)
                    if not line.isascii():
                        line = _BREAKERS.sub(_escape, line)
                else:
                    line = encode(record)
            except Exception as error:  # noqa: BLE001 - whoever logs is not to blame
                rescue(name, bound, level, event, args, kw, frame, foreign, error)
                return
            write(line)

        return emit

    def _fields(self, given: Mapping[str, Any]) -> Record:
        """The careful way for the fields of one call; learns which keys are plain."""
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

    def _rescue(
        self,
        name: str,
        bound: Bound,
        level: str,
        event: Any,
        args: tuple[Any, ...],
        kw: dict[str, Any],
        frame: FrameType | None,
        foreign: LogRecord | None,
        error: Exception,
    ) -> None:
        """Build the line again, slowly, from parts of which each may fail."""
        clean = self.sanitizer.jsonable
        record: Record = {}
        try:
            try:
                message = interpolate(event, args, self.sanitizer) if args else event
                code = frame.f_code if frame is not None else None
                record = {
                    "timestamp": stamp_of(
                        datetime.fromtimestamp(foreign.created, UTC)
                        if foreign
                        else datetime.now(UTC)
                    ),
                    "level": clean(level),
                    "logger": clean(name),
                    "message": clean(text_of(message)),
                    "module": module_of(code.co_filename)
                    if code
                    else clean(foreign and foreign.module),
                    "function": clean(code.co_name if code else foreign and foreign.funcName),
                    "line": clean(frame.f_lineno if frame else foreign and foreign.lineno),
                }
                if self.service is not None:
                    record["service"] = self.service
                record.update(clean({**CONTEXT.get().clean(), **bound.clean()}))
                record.update(clean(self._fields(kw)))
                self.sink.write(self.encode(record))
            except Exception:  # noqa: BLE001
                self.sink.write(
                    self.encode(
                        {
                            "timestamp": stamp_of(datetime.now(UTC)),
                            "level": str(level),
                            "logger": encodable(text_of(name)),
                            "message": encodable(self.sanitizer.text(text_of(event))),
                            "logging_error": type(error).__name__,
                        }
                    )
                )
        except Exception:  # noqa: BLE001 - no memory or no stack left
            self.sink.dropped += 1


class _Spans:
    """`get()` returns OpenTelemetry's present context; asked once OpenTelemetry is loaded."""

    __slots__ = ("get",)

    def __init__(self) -> None:
        self.get: Callable[[], Any] = self._find

    def _find(self) -> Any:
        """The first time: look for the quickest way."""
        module: Any = sys.modules.get("opentelemetry.context")
        public = getattr(module, "get_current", None)
        if public is None:  # another thread is just importing it
            return None
        runtime = getattr(module, "_RUNTIME_CONTEXT", None)
        variable = getattr(runtime, "_current_context", None)
        self.get = variable.get if isinstance(variable, ContextVar) else public
        return self.get()


def span_fields(current: Any) -> Record:
    """The ids of the span in a context, if there is one."""
    span = sys.modules["opentelemetry.trace"].get_current_span(current).get_span_context()
    if not span.is_valid:
        return {}
    return {"trace_id": f"{span.trace_id:032x}", "span_id": f"{span.span_id:016x}"}
