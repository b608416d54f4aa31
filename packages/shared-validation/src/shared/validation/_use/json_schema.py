"""JSON Schema (draft 2020-12) as a validator."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

from shared.core.checks import number, refuse, shown

from .._checks.patterns import matcher
from .._nodes import limits
from .._nodes.group import AllOf, AnyOf, Anything, NoneOf, When
from .._nodes.items import Each, Fixed, Some
from .._nodes.leaf import STRING, Leaf
from .._nodes.node import Node
from .._rules import collections, network, numbers, strings, types
from .._spec.validator import Rule, Validator
from .objects import Object, OneOf

_TYPES: Final = {
    "string": types.is_string,
    "number": types.is_number,
    "integer": types.json_integer(),
    "boolean": types.is_bool,
    "array": types.is_list,
    "object": types.is_dict,
    "null": Leaf(lambda value: value is None, "None", "type", json={"type": "null"}),
}
_DATE: Final = strings.matches_pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _is_date(value: Any) -> bool:
    return _DATE(value) and network.is_iso_datetime(f"{value}T00:00:00Z")


FORMATS: Final[dict[str, Any]] = {
    "date": Leaf(_is_date, "a date like '2026-11-28'", kind=STRING, json={"format": "date"}),
    "date-time": network.is_iso_datetime(offset=True, leap_second=True),
    "email": network.is_email(quoted_local=True, literal=True),
    "hostname": network.is_hostname(idn=False),
    "idn-email": network.is_email(quoted_local=True, literal=True),
    "idn-hostname": network.is_hostname,
    "ipv4": network.is_ip(version=4),
    "ipv6": network.is_ip(version=6, zone=False),
    "uuid": strings.is_uuid,
}
# Each keyword speaks about values of one type, and lets all others pass.
_SIMPLE: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "minLength": ("string", lambda limit: strings.min_length(_count(limit))),
    "maxLength": ("string", lambda limit: strings.max_length(_count(limit))),
    "minimum": ("number", numbers.min_value),
    "maximum": ("number", numbers.max_value),
    "exclusiveMinimum": ("number", lambda limit: limits.compared("gt", limit)),
    "exclusiveMaximum": ("number", lambda limit: limits.compared("lt", limit)),
    "multipleOf": ("number", numbers.multiple_of),
    "minItems": ("array", lambda limit: collections.min_items(_count(limit))),
    "maxItems": ("array", lambda limit: collections.max_items(_count(limit))),
    "uniqueItems": ("array", lambda wanted: collections.unique_items if wanted else Anything()),
    "minProperties": ("object", lambda limit: collections.min_items(_count(limit))),
    "maxProperties": ("object", lambda limit: collections.max_items(_count(limit))),
}
_OBJECT: Final = (
    "properties", "patternProperties", "additionalProperties", "propertyNames", "required",
    "dependentRequired", "dependentSchemas",
)  # fmt: skip
_SILENT: Final = frozenset(
    ["$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "contentEncoding", "contentMediaType", "contentSchema", "minContains", "maxContains", "if", "then", "else", "items", "prefixItems", "contains", "$anchor", "$vocabulary"]
) | {*_OBJECT}  # fmt: skip
_REFUSED: Final = frozenset(
    ["$dynamicRef", "$recursiveRef", "unevaluatedItems", "unevaluatedProperties", "dependencies"]
)
_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


def from_json_schema(
    schema: Mapping[str, Any] | bool, *, formats: bool = True, timeout: float | None = None
) -> Validator:
    """Return a validator of what a JSON Schema (draft 2020-12) describes.

    References must stay inside the document. Other keywords and formats than those below are
    ignored if the standard says that they only describe, and refused if they would check something.

    Args:
        schema: The document: a dictionary or a bool.
        formats: Whether `format` is checked: date, date-time, email, hostname, idn-email,
            idn-hostname, ipv4, ipv6 and uuid. Other formats only describe.
        timeout: The most seconds that each pattern may search in a text, after which the text is
            refused: for documents of strangers. Needs the extra `regex`. None: no limit.

    Returns:
        A validator. `validated_data` is the data with all its fields.

    Raises:
        TypeError: It is not a JSON Schema.
        ValueError: It uses what is not supported: `$dynamicRef`, `unevaluatedItems`,
            `unevaluatedProperties`, another draft, a reference to elsewhere, or a pattern that
            Python does not know.

    Example:
        >>> user = from_json_schema({"properties": {"age": {"minimum": 0}}, "required": ["age"]})
        >>> user({"age": 1, "name": "x"}), [str(e) for e in user.validate({"age": -1}).errors]
        (True, ['age: must be at least 0, not -1'])
    """
    if timeout is not None:
        timeout = number("timeout", timeout, above=0)
    return Rule(_Reader(schema, formats=formats, timeout=timeout).node(schema))


class _Reader:
    """Reads one document."""

    def __init__(self, root: Any, *, formats: bool, timeout: float | None) -> None:
        self.timeout = timeout
        self.root = root
        self.formats = formats
        self.known: dict[int, _Later] = {}

    def node(self, schema: Any) -> Node:
        if schema is True:
            return Anything()
        if schema is False:
            return NoneOf((Anything(),))
        if not isinstance(schema, Mapping):
            raise refuse("schema", "a dictionary or a bool", schema, TypeError)
        if schema.get("$schema", _DRAFT).rstrip("#") != _DRAFT:
            raise refuse("$schema", repr(_DRAFT), schema["$schema"])
        if "$id" in schema and schema is not self.root:
            raise refuse("$id", "at the root alone: one document is read", schema["$id"])
        later = self.known.get(id(schema))
        if later is not None:
            return later
        later = self.known[id(schema)] = _Later()
        nodes = [
            node for keyword, value in schema.items() for node in self._keyword(keyword, value)
        ]
        nodes += self._together(schema)
        later.made = nodes[0] if len(nodes) == 1 else AllOf(tuple(nodes))
        return later

    def _keyword(self, keyword: str, value: Any) -> list[Node]:
        if keyword in _SIMPLE:
            kind, make = _SIMPLE[keyword]
            return [_of(kind, make(value))]
        if keyword == "pattern":
            return [_of("string", self._pattern(value))]
        if keyword == "type":
            names = [value] if isinstance(value, str) else value
            return [AnyOf(tuple(_TYPES[_known(name)] for name in names))]
        if keyword in {"enum", "const"}:
            return [limits.choice(list(value) if keyword == "enum" else [value])]
        if keyword in {"allOf", "anyOf", "oneOf"}:
            group: Any = {"allOf": AllOf, "anyOf": AnyOf, "oneOf": OneOf}[keyword]
            return [group(tuple(map(self.node, value)))]
        if keyword == "not":
            return [NoneOf((self.node(value),))]
        if keyword == "$ref":
            return [self._reference(value)]
        if keyword == "format":
            known = FORMATS.get(value) if self.formats else None
            return [] if known is None else [_of("string", known)]
        if keyword in _SILENT or keyword.startswith("x-"):
            return []
        if keyword in _REFUSED:
            raise ValueError(f"the keyword {keyword!r} of JSON Schema is not supported")
        return []  # the standard: an unknown keyword is a note

    def _together(self, schema: Mapping[str, Any]) -> list[Node]:
        """Return the nodes of keywords that act together."""
        nodes: list[Node] = []
        if "if" in schema:
            branches = (self.node(schema.get(name, True)) for name in ("if", "then", "else"))
            nodes.append(When(*branches))
        if "prefixItems" in schema:
            first = tuple(map(self.node, schema["prefixItems"]))
            rest = self.node(schema.get("items", True))
            nodes.append(_of("array", Fixed(first, rest=rest)))
        elif "items" in schema:
            nodes.append(_of("array", Each(self.node(schema["items"]))))
        if "contains" in schema:
            least = _count(schema.get("minContains", 1))
            most = _count(schema["maxContains"]) if "maxContains" in schema else None
            nodes.append(_of("array", Some(self.node(schema["contains"]), least, most)))
        if any(keyword in schema for keyword in _OBJECT):
            nodes.append(_of("object", self._object(schema)))
        return nodes

    def _object(self, schema: Mapping[str, Any]) -> Node:
        def table(keyword: str) -> dict[str, Node]:
            return {key: self.node(value) for key, value in schema.get(keyword, {}).items()}

        patterns = [
            (
                matcher(_python(pattern), whole=False, timeout=self.timeout)[0],
                pattern,
                self.node(value),
            )
            for pattern, value in schema.get("patternProperties", {}).items()
        ]
        others = schema.get("additionalProperties")
        names = schema.get("propertyNames")
        return Object(
            table("properties"),
            patterns,
            others=None if others is None else self.node(others),
            forbidden=others is False,
            names=None if names is None else self.node(names),
            required=tuple(schema.get("required", ())),
            needs={key: tuple(value) for key, value in schema.get("dependentRequired", {}).items()},
            implies=table("dependentSchemas"),
        )

    def _pattern(self, pattern: Any) -> Validator:
        return strings.matches_pattern(_python(pattern), whole=False, timeout=self.timeout)

    def _reference(self, reference: Any) -> Node:
        target: Any = self.root
        own = self.root.get("$id", "") if isinstance(self.root, Mapping) else ""
        if isinstance(reference, str) and own and reference.startswith(own.rstrip("#") + "#"):
            reference = reference[len(own.rstrip("#")) :]
        if reference == "#" or (own and reference == own):
            return self.node(target)
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise refuse("$ref", "a JSON pointer into this document, '#/...'", reference)
        for part in reference[2:].split("/"):
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            try:
                target = target[int(key)] if isinstance(target, list) else target[key]
            except (LookupError, TypeError, ValueError):
                raise refuse("$ref", "a place in this document", reference) from None
        return self.node(target)


class _Later(Node):
    """A schema that may be read still: schemas may name each other."""

    __slots__ = ("made",)

    made: Node

    def build(self, parts: Any) -> Any:
        return parts.run(self.made)

    def json(self, parts: Any) -> Any:
        return parts.json(self.made)

    def what(self, _parts: Any) -> str:
        return "valid by its schema"


def _of(kind: str, spec: Any) -> Node:
    """Return a check of values of one type that lets others pass."""
    return When(_TYPES[kind], spec, Anything())


def _known(name: Any) -> str:
    if name not in _TYPES:
        raise refuse("type", f"one of {', '.join(_TYPES)}", name)
    return str(name)


def _count(limit: Any) -> int:
    if isinstance(limit, float) and limit.is_integer():
        limit = int(limit)
    if type(limit) is not int or limit < 0:
        raise TypeError(f"a limit must be a whole number from 0, not {shown(limit)}")
    return limit


def _python(pattern: Any) -> str:
    r"""Return a pattern of ECMA 262 as Python has it: $ is the end alone, \d and \w are ASCII."""
    if not isinstance(pattern, str):
        raise refuse("pattern", "a string", pattern, TypeError)
    if re.search(r"\\[pPc]", pattern):
        raise refuse("pattern", "one without \\p, \\P and \\c, which Python does not know", pattern)
    parts = re.split(r"(\\.|\[(?:[^\]\\]|\\.)*\])", pattern, flags=re.DOTALL)
    for index, part in enumerate(parts):
        if index % 2 == 0:
            parts[index] = part.replace("$", r"\Z")
        else:
            parts[index] = _CLASSES.sub(lambda match: _ASCII.get(match[0], match[0]), part)
            if not part.startswith("["):
                parts[index] = _ALONE.get(part, parts[index])
    found = "".join(parts)
    try:
        re.compile(found)
    except re.error as error:
        raise refuse("pattern", f"a regular expression ({error})", pattern) from None
    return found


_CLASSES: Final = re.compile(r"\\.", re.DOTALL)
_ASCII: Final = {r"\d": "0-9", r"\w": "A-Za-z0-9_"}
_ALONE: Final = {
    r"\d": "[0-9]", r"\D": "[^0-9]", r"\w": "[A-Za-z0-9_]", r"\W": "[^A-Za-z0-9_]",
}  # fmt: skip
