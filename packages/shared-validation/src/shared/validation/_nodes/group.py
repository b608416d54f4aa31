"""Several checks of one value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._base.problems import Problem, Problems, wrong_type
from .node import UNKNOWN, Node

if TYPE_CHECKING:
    from .node import Document, Parts, Run
    from .state import State


class AllOf(Node):
    """Every check, and all their errors; after a wrong type the others would only add noise."""

    __slots__ = ("specs",)

    def __init__(self, specs: tuple[Any, ...]) -> None:
        self.specs = specs

    def optional(self, parts: Parts) -> bool:
        return bool(self.specs) and all(parts.node(spec).optional(parts) for spec in self.specs)

    def build(self, parts: Parts) -> Run:
        checks = [parts.run(spec) for spec in self.specs]
        if len(checks) == 1:
            return checks[0]

        def run(value: Any, state: State | None) -> Any:
            problems: Problems | None = None
            fields: dict[Any, Any] | None = None
            for check in checks:
                result = check(value, state)
                if type(result) is Problems:
                    problems = result if problems is None else Problems(problems + result)
                    if _is_type(result):
                        break
                elif result is value:
                    pass
                elif isinstance(value, Mapping) and isinstance(result, Mapping):
                    # Each check sees the whole dictionary, and adds the fields that it declares.
                    fields = {**(fields or {}), **result}
                else:
                    value = result
            if problems is not None:
                return problems
            return value if fields is None else fields

        return run

    def json(self, parts: Parts) -> Document:
        documents = [parts.json(spec) for spec in self.specs]
        exact = all(exact for _, exact in documents)
        merged: dict[str, Any] = {}
        for document, _ in documents:
            for key, value in document.items():
                if key not in merged or merged[key] == value:
                    merged[key] = value
                elif key == "type" and {str(merged[key]), str(value)} == {"integer", "number"}:
                    merged[key] = "integer"
                else:
                    return {"allOf": [one for one, _ in documents if one]}, exact
        if merged.keys() & {"if", "additionalProperties", "$ref"} and len(documents) > 1:
            return {"allOf": [one for one, _ in documents if one]}, exact  # they act together
        return merged, exact

    def what(self, parts: Parts) -> str:
        return " and ".join(parts.what(spec) for spec in self.specs)


class AnyOf(Node):
    """The first check that passes; if none does, why each failed.

    Args:
        specs: The branches.
        narrow: If just one branch fits the value's type, only its errors are reported.
    """

    __slots__ = ("narrow", "specs")

    def __init__(self, specs: tuple[Any, ...], *, narrow: bool = False) -> None:
        self.specs = specs
        self.narrow = narrow

    def build(self, parts: Parts) -> Run:
        checks = [parts.run(spec) for spec in self.specs]
        narrow = self.narrow

        def run(value: Any, state: State | None) -> Any:
            branches = []
            for check in checks:
                result = check(value, state)
                if type(result) is not Problems:
                    return result
                branches.append(result)
            if all(map(_is_type, branches)):
                kinds = dict.fromkeys(branch[0].what for branch in branches)
                found = wrong_type(" or ".join(kinds), value)
                found[0].branches = branches
                return found
            fitting = [branch for branch in branches if not _is_type(branch)]
            if narrow and len(fitting) == 1:
                return fitting[0]
            return Problems([Problem("invalid", "valid", value, branches=branches)])

        return run

    def json(self, parts: Parts) -> Document:
        documents = [parts.json(spec) for spec in self.specs]
        exact = all(exact for _, exact in documents)
        if not all(document for document, _ in documents):
            return {}, exact
        types = [document.get("type") for document, _ in documents if len(document) == 1]
        if len(types) == len(documents) and all(isinstance(one, str) for one in types):
            return {"type": types if len(types) > 1 else types[0]}, exact
        return {"anyOf": [document for document, _ in documents]}, exact

    def what(self, parts: Parts) -> str:
        return " or ".join(parts.what(spec) for spec in self.specs)


class NoneOf(Node):
    """No check may pass."""

    __slots__ = ("specs",)

    def __init__(self, specs: tuple[Any, ...]) -> None:
        self.specs = specs

    def build(self, parts: Parts) -> Run:
        checks = [(parts.run(spec), parts.node(spec)) for spec in self.specs]

        def run(value: Any, state: State | None) -> Any:
            problems = Problems()
            for check, node in checks:
                if type(check(value, state)) is not Problems:
                    problems.append(Problem("invalid", f"other than {node.what(parts)}", value))
            return problems or value

        return run

    def json(self, parts: Parts) -> Document:
        documents = [parts.json(spec) for spec in self.specs]
        known = [document for document, exact in documents if exact]
        if not known:
            return UNKNOWN
        refused = known[0] if len(known) == 1 else {"anyOf": known}
        return {"not": refused}, len(known) == len(documents)

    def what(self, parts: Parts) -> str:
        return "other than " + " or ".join(parts.what(spec) for spec in self.specs)


class Optional(Node):
    """None, or a value that passes; a field may be missing."""

    __slots__ = ("spec",)

    def __init__(self, spec: Any) -> None:
        self.spec = spec

    def optional(self, _parts: Parts) -> bool:
        return True

    def build(self, parts: Parts) -> Run:
        check = parts.run(self.spec)

        def run(value: Any, state: State | None) -> Any:
            return None if value is None else check(value, state)

        return run

    def json(self, parts: Parts) -> Document:
        document, exact = parts.json(self.spec)
        if not document:
            return document, exact
        if len(document) == 1 and isinstance(document.get("type"), str):
            return {"type": [document["type"], "null"]}, exact
        return {"anyOf": [document, {"type": "null"}]}, exact

    def what(self, parts: Parts) -> str:
        return f"{parts.what(self.spec)} or None"


class When(Node):
    """One check or another, by a condition of the value itself."""

    __slots__ = ("condition", "otherwise", "then")

    def __init__(self, condition: Any, then: Any, otherwise: Any) -> None:
        self.condition = condition
        self.then = then
        self.otherwise = otherwise

    def build(self, parts: Parts) -> Run:
        condition, then, otherwise = map(parts.run, (self.condition, self.then, self.otherwise))

        def run(value: Any, state: State | None) -> Any:
            failed = type(condition(value, state)) is Problems
            return otherwise(value, state) if failed else then(value, state)

        return run

    def json(self, parts: Parts) -> Document:
        condition, known = parts.varied(extra="drop").json(self.condition)
        then, then_exact = parts.json(self.then)
        otherwise, otherwise_exact = parts.json(self.otherwise)
        if not known:
            return ({"anyOf": [then, otherwise]} if then and otherwise else {}), False
        document = {"if": condition, "then": then, "else": otherwise}
        if not otherwise:
            del document["else"]
        if not then:
            del document["then"]
        return document, then_exact and otherwise_exact

    def what(self, parts: Parts) -> str:
        return f"{parts.what(self.then)} or {parts.what(self.otherwise)}"


class Secret(Node):
    """The same check; the value shows in no error."""

    __slots__ = ("spec",)

    def __init__(self, spec: Any) -> None:
        self.spec = spec

    def optional(self, parts: Parts) -> bool:
        return parts.node(self.spec).optional(parts)

    def build(self, parts: Parts) -> Run:
        check = parts.varied(strip=False).run(self.spec)

        def run(value: Any, state: State | None) -> Any:
            result = check(value, state)
            if type(result) is Problems:
                for problem in result:
                    problem.secret = True
            return result

        return run

    def json(self, parts: Parts) -> Document:
        document, exact = parts.json(self.spec)
        return {**document, "writeOnly": True}, exact

    def what(self, parts: Parts) -> str:
        return parts.what(self.spec)


class Anything(Node):
    """Every value."""

    __slots__ = ()

    def build(self, _parts: Parts) -> Run:
        return lambda value, _state: value

    def json(self, _parts: Parts) -> Document:
        return {}, True

    def what(self, _parts: Parts) -> str:
        return "anything"


def _is_type(problems: Problems) -> bool:
    """Whether the value itself is of another type: nothing else can be said about it."""
    return problems[0].code == "type" and not problems[0].path
