"""JSON lines in the field names of OpenTelemetry or the Elastic Common Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .._base.levels import LEVELS
from .encode import encode_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._record.fields import Record

# https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
_SEVERITY: Final = {"debug": 5, "info": 9, "warning": 13, "error": 17, "critical": 21}
_SEVERITY_TEXT: Final = {
    "debug": "DEBUG", "info": "INFO", "warning": "WARN", "error": "ERROR", "critical": "FATAL",
}  # fmt: skip
# https://opentelemetry.io/docs/specs/semconv/general/logs/ and .../code/
_OTEL_ATTRIBUTES: Final = {
    "module": "code.namespace",
    "function": "code.function.name",
    "line": "code.line.number",
    "correlation_id": "correlation_id",
}
# https://www.elastic.co/docs/reference/ecs
_ECS: Final = {
    "timestamp": "@timestamp",
    "level": "log.level",
    "logger": "log.logger",
    "message": "message",
    "module": "log.origin.file.name",
    "function": "log.origin.function",
    "line": "log.origin.file.line",
    "service": "service.name",
    "trace_id": "trace.id",
    "span_id": "span.id",
    "correlation_id": "labels.correlation_id",
}
ECS_VERSION: Final = "8.11.0"


def make_schema_encoder(schema: str) -> Callable[[Record], bytes]:
    """Return the encoder for `schema="otel"` or `schema="ecs"`."""
    convert = _to_otel if schema == "otel" else _to_ecs

    def encode(record: Record) -> bytes:
        return encode_json(convert(record))

    return encode


def _error(exception: Any) -> tuple[str, str, str]:
    first = exception[0]
    frames = "\n".join(
        f'  File "{frame["file"]}", line {frame["line"]}, in {frame["function"]}'
        for frame in first["frames"]
    )
    kind = f"{first['module']}.{first['type']}".removeprefix("builtins.")
    return kind, first["message"], f"{frames}\n{kind}: {first['message']}"


def _to_otel(record: Record) -> Record:
    attributes: Record = {}
    out: Record = {"Timestamp": record["timestamp"], "Attributes": attributes, "Resource": {}}
    level = record["level"] if record["level"] in LEVELS else "info"
    out["SeverityText"], out["SeverityNumber"] = _SEVERITY_TEXT[level], _SEVERITY[level]
    out["Body"] = record["message"]
    out["InstrumentationScope"] = {"Name": record["logger"]}
    for key, value in record.items():
        if key in {"timestamp", "level", "message", "logger"}:
            continue
        if key == "service":
            out["Resource"]["service.name"] = value
        elif key == "trace_id":
            out["TraceId"] = value
        elif key == "span_id":
            out["SpanId"] = value
        elif key == "exception":
            kind, message, stack = _error(value)
            attributes["exception.type"] = kind
            attributes["exception.message"] = message
            attributes["exception.stacktrace"] = stack
        else:
            attributes[_OTEL_ATTRIBUTES.get(key, key)] = value
    return out


def _to_ecs(record: Record) -> Record:
    out: Record = {}
    for key, value in record.items():
        if key == "exception":
            kind, message, stack = _error(value)
            out["error.type"] = kind
            out["error.message"] = message
            out["error.stack_trace"] = stack
        else:
            out[_ECS.get(key, key)] = value
    out["ecs.version"] = ECS_VERSION
    return out
