"""Measure dictionaries, arguments and hostile text against their bars and the named peers.

python benchmarks/run.py [--quick]: prints a table and rewrites RESULTS.md beside it.

Ours and a peer take turns in every round, so that a busy machine slows both; a ratio is the median
of the rounds' ratios, a time the best of the rounds.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
import timeit
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import cerberus
import marshmallow
import marshmallow.validate as mv
import voluptuous as vol
from beartype import beartype
from pydantic import validate_call

import shared.validation as v

DATA = {
    "id": 4711,
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "age": 36,
    "score": 98.5,
    "active": True,
    "role": "admin",
    "tags": ["math", "engines"],
    "city": "London",
    "zip": "12345",
}
BAD = {**DATA, "name": "A", "age": -1, "score": "high", "zip": "x"}

SCHEMA = {
    "id": v.is_integer,
    "name": v.min_length(2),
    "email": v.is_string,
    "age": v.value_between(0, 150),
    "score": v.is_number,
    "active": v.is_bool,
    "role": v.one_of("admin", "user"),
    "tags": v.is_list,
    "city": v.max_length(50),
    "zip": v.matches_pattern(r"\d{5}"),
}
COMPILED = v.SchemaValidator(SCHEMA)


class Marshmallow(marshmallow.Schema):
    """The same fields."""

    id = marshmallow.fields.Integer(required=True, strict=True)
    name = marshmallow.fields.String(required=True, validate=mv.Length(min=2))
    email = marshmallow.fields.String(required=True)
    age = marshmallow.fields.Integer(required=True, validate=mv.Range(0, 150))
    score = marshmallow.fields.Float(required=True)
    active = marshmallow.fields.Boolean(required=True)
    role = marshmallow.fields.String(required=True, validate=mv.OneOf(["admin", "user"]))
    tags = marshmallow.fields.List(marshmallow.fields.String(), required=True)
    city = marshmallow.fields.String(required=True, validate=mv.Length(max=50))
    zip = marshmallow.fields.String(required=True, validate=mv.Regexp(r"\d{5}$"))


MARSHMALLOW = Marshmallow()
CERBERUS = cerberus.Validator(
    {
        "id": {"type": "integer", "required": True},
        "name": {"type": "string", "required": True, "minlength": 2},
        "email": {"type": "string", "required": True},
        "age": {"type": "integer", "required": True, "min": 0, "max": 150},
        "score": {"type": "number", "required": True},
        "active": {"type": "boolean", "required": True},
        "role": {"type": "string", "required": True, "allowed": ["admin", "user"]},
        "tags": {"type": "list", "required": True},
        "city": {"type": "string", "required": True, "maxlength": 50},
        "zip": {"type": "string", "required": True, "regex": r"\d{5}"},
    }
)
VOLUPTUOUS = vol.Schema(
    {
        vol.Required("id"): int,
        vol.Required("name"): vol.All(str, vol.Length(min=2)),
        vol.Required("email"): str,
        vol.Required("age"): vol.All(int, vol.Range(0, 150)),
        vol.Required("score"): vol.Any(int, float),
        vol.Required("active"): bool,
        vol.Required("role"): vol.In(["admin", "user"]),
        vol.Required("tags"): list,
        vol.Required("city"): vol.All(str, vol.Length(max=50)),
        vol.Required("zip"): vol.All(str, vol.Match(r"\d{5}$")),
    }
)


def marshmallow_errors() -> Any:
    try:
        return MARSHMALLOW.load(BAD)
    except marshmallow.ValidationError as error:
        return error.messages


def voluptuous_errors() -> Any:
    try:
        return VOLUPTUOUS(BAD)
    except vol.MultipleInvalid as error:
        return [str(one) for one in error.errors]


def plain(user: int, name: str, factor: float = 1.0) -> int:
    return user


ours, bear, pydantic_call = v.validate_arguments(plain), beartype(plain), validate_call(plain)


def items(names: list[str], limit: int | None = None) -> int:
    return len(names)


ours_items, pydantic_items = v.validate_arguments(items), validate_call(items)
NAMES = [f"name-{number}" for number in range(20)]


class Row(NamedTuple):
    """One line of the results."""

    what: str
    ours: str
    against: str
    measured: float
    unit: str
    bar: float | None
    more_is_better: bool = False

    @property
    def verdict(self) -> str:
        if self.bar is None:
            return ""
        met = self.measured >= self.bar if self.more_is_better else self.measured <= self.bar
        return "met" if met else "MISSED"

    @property
    def bar_text(self) -> str:
        if self.bar is None:
            return ""
        return f"{'>=' if self.more_is_better else '<='} {self.bar:g} {self.unit}"


def best(statement: str, number: int) -> float:
    """Return microseconds per run."""
    return min(timeit.repeat(statement, globals=globals(), number=number, repeat=3)) / number * 1e6


def against(mine: str, theirs: str, rounds: int, number: int) -> tuple[float, float, float]:
    pairs = [(best(mine, number), best(theirs, number)) for _ in range(rounds)]
    ratio = statistics.median(peer / own for own, peer in pairs)
    own, peer = (min(column) for column in zip(*pairs, strict=True))
    return ratio, own, peer


def extra(call: str, rounds: int, number: int, functions: list[str]) -> list[float]:
    """Return what decorated functions cost more than the plain one: medians, in microseconds."""
    columns: list[list[float]] = [[] for _ in functions]
    for _ in range(rounds):
        bare = best(f"plain({call})", number)
        for column, function in zip(columns, functions, strict=True):
            column.append(best(f"{function}({call})", number) - bare)
    return [statistics.median(column) for column in columns]


MEGABYTE = 1_000_000
TEXTS = [
    "a" * MEGABYTE, "a@" * (MEGABYTE // 2), "a@" + "b." * (MEGABYTE // 2), "http://" + "a." * (MEGABYTE // 2),
    "http://a.bc/" + "%41" * (MEGABYTE // 3), "http://" + "é" * MEGABYTE, "xn--" * (MEGABYTE // 4),
    "a-" * (MEGABYTE // 2), "[" * MEGABYTE, "[" + "1," * (MEGABYTE // 2) + "1]", "9" * MEGABYTE,
    '"' + "\\u0061" * (MEGABYTE // 6) + '"', "\n" * MEGABYTE, "+1" + " 1" * (MEGABYTE // 2),
    "1:" * (MEGABYTE // 2), "2026-11-28T" + "0" * MEGABYTE,
]  # fmt: skip
RULES: dict[str, Any] = {
    "is_email": v.is_email, "is_url": v.is_url, "is_url(max_length=2_000_000)": v.is_url(max_length=2_000_000),
    "is_hostname": v.is_hostname, "is_ip": v.is_ip, "is_uuid": v.is_uuid, "is_slug": v.is_slug,
    "is_json": v.is_json, "is_phone": v.is_phone, "is_iso_datetime": v.is_iso_datetime,
    "matches_pattern('[a-z]+')": v.matches_pattern("[a-z]+"), "starts_with": v.starts_with("a"),
    "ends_with": v.ends_with("a"), "length_between": v.length_between(1, 5), "contains": v.contains("zz"),
    "one_of": v.one_of("a", "b"),
}  # fmt: skip


def hostile() -> tuple[float, str]:
    """Return the longest of the best times, in milliseconds, and whose it is."""
    worst, name = 0.0, ""
    for title, rule in RULES.items():
        rule("warm@example.org")
        for text in TEXTS:
            took = []
            for _ in range(3):
                start = time.perf_counter()
                rule(text)
                took.append(time.perf_counter() - start)
            if min(took) * 1e3 > worst:
                worst, name = min(took) * 1e3, f"{title} of {text[:12]!r}..."
    return worst, name


def measure(rounds: int) -> list[Row]:
    assert COMPILED(DATA)
    assert MARSHMALLOW.load(DATA)
    assert CERBERUS.validate(DATA)
    assert VOLUPTUOUS(DATA)
    rows = []
    number = 5_000
    for peer, call, bar in (
        ("marshmallow", "MARSHMALLOW.load(DATA)", 5.0),
        ("cerberus", "CERBERUS.validate(DATA)", 1.5),
        ("voluptuous", "VOLUPTUOUS(DATA)", 1.5),
    ):
        ratio, own, theirs = against("v.validate_dict(DATA, SCHEMA)", call, rounds, number)
        rows.append(
            Row("validate_dict, 10 fields that pass", f"{own:.2f} us", f"{peer} {theirs:.1f} us", ratio, "x", bar, more_is_better=True)
        )  # fmt: skip
    for peer, call in (
        ("marshmallow", "marshmallow_errors()"),
        ("cerberus", "CERBERUS.validate(BAD)"),
        ("voluptuous", "voluptuous_errors()"),
    ):
        ratio, own, theirs = against("v.validate_dict(BAD, SCHEMA)", call, rounds, number // 5)
        rows.append(
            Row("validate_dict, 4 of 10 fields wrong", f"{own:.1f} us", f"{peer} {theirs:.1f} us", ratio, "x", None, more_is_better=True)
        )  # fmt: skip
    took = min(best("COMPILED.validate(DATA)", number) for _ in range(rounds))
    rows.append(
        Row("SchemaValidator.validate, 10 fields that pass", f"{took:.2f} us", "", took, "us", 3.0)
    )
    for words, call in (("positional", "7, 'a', 2.0"), ("named", "7, name='a', factor=2.0")):
        mine, theirs, other = extra(call, rounds, number * 4, ["ours", "bear", "pydantic_call"])
        rows.append(
            Row(f"validate_arguments, 3 {words}, more than the plain call", f"{mine:.2f} us", f"1.5 x beartype {theirs:.2f} us + 1 us",
                mine, "us", 1.5 * theirs + 1)
        )  # fmt: skip
        rows.append(
            Row(f"the same, {words}", f"{mine:.2f} us", f"pydantic validate_call {other:.2f} us", other / mine, "x", 1.0, more_is_better=True)
        )  # fmt: skip
    ratio, own, theirs = against("ours_items(NAMES)", "pydantic_items(NAMES)", rounds, number)
    rows.append(
        Row("validate_arguments, a list of 20 strings", f"{own:.2f} us", f"pydantic validate_call {theirs:.2f} us", ratio, "x", None, more_is_better=True)
    )  # fmt: skip
    worst, name = hostile()
    rows.append(
        Row(
            f"1 MB of hostile text, the worst of {len(RULES)} rules x {len(TEXTS)} texts",
            f"{worst:.1f} ms",
            name,
            worst,
            "ms",
            50.0,
        )
    )
    return rows


def table(rows: list[Row]) -> str:
    lines = [
        "| What | Ours | Against | Measured | Bar | |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        against = row.against.replace("|", "\\|")
        lines.append(
            f"| {row.what} | {row.ours} | {against} | {row.measured:.2f} {row.unit} "
            f"| {row.bar_text} | {row.verdict} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rows = measure(3 if parser.parse_args().quick else 15)
    peers = ("marshmallow", "cerberus", "voluptuous", "beartype", "pydantic", "email-validator")
    text = f"""# Speed of shared-validation

Python {platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores;
{", ".join(f"{name} {version(name)}" for name in peers)}.
Written by `benchmarks/run.py`. Ours and the peers take turns in every round; a ratio ("x") says how many times faster
ours is and is the median of the rounds' ratios, a time the best of the rounds. The 10 fields are checked for the same by each:
types, lengths, a range, a choice and a pattern. The cost of a decorated function is what it takes longer than the plain one.

{table(rows)}

beartype checks one item of a list, ours and pydantic all of them: that row has no bar. The e-mail address is text alone to all
four, since the others use a pattern where ours asks `email-validator`.
"""
    (Path(__file__).parent / "RESULTS.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
