"""One record in, one line of strict JSON out, whatever the values; the text format too."""

import dataclasses
import datetime as dt
import decimal
import enum
import io
import json
import logging
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.observability import (
    configure_logging,
    get_logger,
    log_context,
    setup_logger,
    setup_tracing,
    stats,
    trace_span,
)
from shared.observability._logging.stdlib import PipelineHandler


class Rude:
    def __repr__(self):
        raise RuntimeError("no")

    __str__ = __repr__


class RudeMapping(dict[str, int]):
    def items(self):
        raise RuntimeError("no")


class Colour(enum.Enum):
    RED = "red\x1b[31m"


class Text(str):
    __slots__ = ()


@dataclasses.dataclass
class Account:
    name: str
    password: str


def deep(levels):
    value: list[object] = []
    for _ in range(levels):
        value = [value]
    return value


def cycle():
    value: dict[str, object] = {}
    value["self"] = value
    value["list"] = [value]
    return value


HOSTILE = {
    "rude": Rude(),
    "rude_mapping": RudeMapping(a=1),
    "big": 2**80,
    "huge": 10**5000,
    "nan": float("nan"),
    "inf": float("-inf"),
    "bytes": b"\xff\x00\n",
    "surrogate": "a\ud800b",
    "tuple_keys": {(1, 2): 3, None: 4, 1.5: 5, b"k": 6, "\ud800": 7},
    "same_keys": {1: "a", "1": "b"},
    "set": {1, "a", None},
    "cycle": cycle(),
    "deep": deep(10_000),
    "wide": list(range(100_000)),
    "long": "x" * 10_000_000,
    "lines": "a\r\nb\u2028c\u2029d\x85e\x0bf\x0cg\x1c\x1d\x1e",
    "escape": "\x1b[31mred\x1b[0m \x9b31m \x7f",
    "bidi": "\u202eabc\u2066",
    "enum": Colour.RED,
    "subclass": Text("x\ny"),
    "bool": True,
    "decimal": decimal.Decimal("1.10"),
    "uuid": uuid.UUID(int=7),
    "path": Path("/tmp/x"),
    "moment": dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
    "account": Account("ada", "hunter2"),
    "error": ValueError("bad\nvalue"),
    "type": int,
    "function": deep,
    "memory": memoryview(b"abc"),
    "generator": (i for i in range(3)),
    "empty": "",
    "emoji": "🔥 \ue000 \ufeff",
    "numpyish": type("N", (), {"__index__": lambda self: 7})(),
    "liar": type("L", (), {"__str__": lambda self: Text("x\n")})(),
    "not_a_string": type("B", (), {"__repr__": lambda self: 7})(),
    "none": None,
}


def refuse(constant):
    raise ValueError(constant)


def one_json_line(text):
    assert text.endswith("\n")
    assert len(text.splitlines()) == 1, text.splitlines()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x80-\x9f\u2028\u2029]", text)
    assert len(text) < 1_000_000
    text.encode()
    return json.loads(text, parse_constant=refuse)


TEXT_LINE = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (?P<level>[A-Z]{4,8}) +"
    r"(?P<logger>[^\s\"]+|\"(?:[^\"\\]|\\.)*\") "
    r"(?P<message>\"(?:[^\"\\]|\\.)*\"|[^\"=]*?)"
    r"(?P<fields>(?: (?:[^\s\"=]+|\"(?:[^\"\\]|\\.)*\")=.+)?)"
)


def one_text_line(text):
    assert text.endswith("\n")
    assert len(text.splitlines()) == 1
    assert text[:-1].isprintable()
    match = TEXT_LINE.fullmatch(text[:-1])
    assert match, text
    fields, rest = {}, match["fields"]
    decoder = json.JSONDecoder(parse_constant=refuse)
    while rest:
        rest = rest.removeprefix(" ")
        if rest.startswith('"'):
            key, end = decoder.raw_decode(rest)
        else:
            end = rest.index("=")
            key = rest[:end]
        assert rest[end] == "="
        rest = rest[end + 1 :]
        if rest[0] in '"[{' or rest.startswith(("null", "true", "false")):
            value, end = decoder.raw_decode(rest)
        else:
            end = len(rest) if " " not in rest else rest.index(" ")
            value = rest[:end]
        fields[key] = value
        rest = rest[end:]
        assert rest == "" or rest[0] == " "
    return match, fields


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    "place", ["value", "message", "argument", "nested", "context", "stdlib", "extra"]
)
@pytest.mark.parametrize("shape", ["json", "text"])
def test_one_record_is_one_line(name, place, shape):
    value = HOSTILE[name]
    stream = io.StringIO()
    configure_logging(format=shape, output=stream)
    root = logging.getLogger()  # pytest's own handlers stumble over such records
    root.handlers[:] = [
        handler for handler in root.handlers if isinstance(handler, PipelineHandler)
    ]
    log = get_logger("x")
    if place == "value":
        log.info("m", field=value)
    elif place == "message":
        log.info(value)
    elif place == "argument":
        log.info("m %s", value)
    elif place == "nested":
        log.info("m", field={"list": [value, {"deeper": value}]})
    elif place == "context":
        with log_context(field=value):
            log.bind(other=value).info("m")
    elif place == "stdlib":
        logging.getLogger("lib").info("m %s %s", value, 1)
    else:
        logging.getLogger("lib").info(value, extra={"field": value})
    if shape == "json":
        line = one_json_line(stream.getvalue())
        assert line["level"] == "info"
    else:
        one_text_line(stream.getvalue())
    assert stats().dropped == 0
    assert "hunter2" not in stream.getvalue()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=20)
    | st.text(st.characters(codec=None), max_size=30) | st.builds(Rude)
    | st.just(Colour.RED),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(codec=None), max_size=8) | st.integers() | st.none(), inner, max_size=4)
    | st.tuples(inner, inner),
    max_leaves=12,
)  # fmt: skip


texts = st.text(st.characters(codec=None), max_size=40)


@given(
    message=texts,
    fields=st.dictionaries(texts, values, max_size=4),
    args=st.lists(values, max_size=2),
)
@settings(max_examples=100, deadline=None)
def test_fuzz(message, fields, args):
    checks: dict[Any, Any] = {"json": one_json_line, "text": one_text_line}
    for shape, check in checks.items():
        own, foreign = io.StringIO(), io.StringIO()
        configure_logging(format=shape, output=own)
        get_logger("x").info(message, *args, **fields)
        check(own.getvalue())
        setup_logger("fuzz", "INFO", shape, foreign)
        logging.getLogger("fuzz").info(message, *args, extra={"fields_": fields})
        check(foreign.getvalue())
    assert stats().dropped == 0


@given(message=texts.filter(lambda t: len(t) < 12), value=st.text(max_size=30))
@settings(max_examples=60, deadline=None)
def test_harmless_text_survives_unchanged(message, value):
    stream = io.StringIO()
    configure_logging(output=stream, redact=False)
    get_logger("x").info(message, value=value)
    line = one_json_line(stream.getvalue())
    expected = message.encode("utf-8", "backslashreplace").decode()
    assert (line["message"], line["value"]) == (expected, value)


def test_the_values_that_fit_are_kept(lines):
    get_logger("x").info(
        "m", big=2**80, nan=float("nan"), raw=b"\xff", keys={(1, 2): 3}, both={1: "a", "1": "b"},
        moment=HOSTILE["moment"], price=decimal.Decimal("1.10"), index=HOSTILE["numpyish"],
    )  # fmt: skip
    line = lines.last()
    assert line["big"] == str(2**80)
    assert line["nan"] is None
    assert line["raw"] == "\\xff"
    assert line["keys"] == {"(1, 2)": 3}
    assert line["both"] == {"1": "a", "1_": "b"}
    assert line["moment"].startswith("2026-01-02")
    assert line["price"] == "1.10"
    assert line["index"] == 7


def test_a_long_text_says_what_is_cut(lines):
    get_logger("x").info("m", text="x" * 10_000_000)
    assert re.fullmatch(r"x{16384}\.\.\.\[cut 9983616 characters\]", lines.last()["text"])


def test_callers_objects_are_untouched(lines):
    fields = {"password": "p", "list": [{"token": "t"}]}
    get_logger("x").info("m", **fields, nested=fields)
    logging.getLogger("x").info("m %s", fields, extra={"fields_": fields})
    assert fields == {"password": "p", "list": [{"token": "t"}]}


def test_logging_at_the_recursion_limit_does_not_raise(lines):
    log = get_logger("x")

    def down(n):
        log.info("deep", n={"a": [n]})
        down(n + 1)

    with pytest.raises(RecursionError):
        down(0)
    log.info("after")
    assert lines.last()["message"] == "after"


def test_wrong_percent_arguments_show_their_parts(lines):
    get_logger("x").info("%d of %s", "one")
    assert lines.last()["message"].startswith("%d of %s ")


def test_microseconds_are_always_there(new_lines):
    stream = new_lines()
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, 0, tzinfo=dt.UTC)
    configure_logging(output=stream, clock=lambda zone: moment)
    get_logger("x").info("m")
    assert stream.last()["timestamp"] == "2026-01-02T03:04:05.000000Z"


def test_a_record_that_cannot_be_built_still_leaves_a_line(lines):
    record = logging.makeLogRecord({"msg": "m token=abc", "name": "lib", "created": float("nan")})
    record.levelno, record.levelname = 40, "ERROR"
    PipelineHandler().handle(record)
    line = lines.last()
    assert (line["level"], line["logger"], line["message"]) == (
        "error",
        "lib",
        "m token=[REDACTED]",
    )
    assert line["logging_error"] == "ValueError"


def test_a_foreign_span_that_fails_costs_the_line_nothing(lines, monkeypatch):
    import opentelemetry.trace as otel

    def fail(context):
        raise RuntimeError("no span")

    tracer = setup_tracing(service_name="x", exporter_type="none")
    with trace_span("x"):
        monkeypatch.setattr(otel, "get_current_span", fail)
        get_logger("x").info("m", a=1)
        monkeypatch.undo()
    tracer.shutdown(1)
    assert lines.last()["a"] == 1
    assert "trace_id" not in lines.last()
