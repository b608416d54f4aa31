"""What JSON Schema asks of an object, and its `oneOf`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._base.problems import MOST, Problem, Problems
from .._nodes.items import DICT
from .._nodes.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._nodes.node import Document, Parts, Run
    from .._nodes.state import State


class Object(Node):
    """The keywords for objects, which act together."""

    __slots__ = (
        "fields", "forbidden", "implies", "names", "needs", "others", "patterns", "required",
    )  # fmt: skip

    def __init__(
        self,
        fields: dict[str, Node],
        patterns: list[tuple[Callable[[Any], bool], str, Node]],
        *,
        others: Node | None,
        forbidden: bool,
        names: Node | None,
        required: tuple[str, ...],
        needs: dict[str, tuple[str, ...]],
        implies: dict[str, Node],
    ) -> None:
        self.fields = fields
        self.patterns = patterns
        self.others = others
        self.forbidden = forbidden
        self.names = names
        self.required = required
        self.needs = needs
        self.implies = implies

    def build(self, parts: Parts) -> Run:
        fields = {name: parts.run(node) for name, node in self.fields.items()}
        patterns = [(matches, parts.run(node)) for matches, _, node in self.patterns]
        others = None if self.others is None else parts.run(self.others)
        names = None if self.names is None else parts.run(self.names)
        implies = {name: parts.run(node) for name, node in self.implies.items()}
        required, needs, forbidden = self.required, self.needs, self.forbidden

        def run(value: Any, state: State | None) -> Any:
            problems = Problems()
            for name, item in list(value.items()):
                if names is not None:
                    problems += _found(names(name, state)).at(name)
                checks = [fields[name]] if name in fields else []
                try:
                    checks += [check for matches, check in patterns if matches(name)]
                except TimeoutError:
                    problems += _missing("pattern", "took too long to match a pattern", name)
                    continue
                if not checks and forbidden:
                    problems += _missing("extra", "is not an allowed field", name)
                elif not checks and others is not None:
                    checks = [others]
                for check in checks:
                    problems += _found(check(item, state)).at(name)
                if len(problems) > MOST:
                    return problems
            absent = dict.fromkeys(name for name in required if name not in value)
            absent |= dict.fromkeys(
                one
                for name, all_ in needs.items()
                if name in value
                for one in all_
                if one not in value
            )
            for name in absent:
                problems += _missing("missing", "is required", name)
            for name, check in implies.items():
                if name in value:
                    problems += _found(check(value, state))
            return problems or value

        return run

    def json(self, parts: Parts) -> Document:
        exact = True

        def one(node: Node) -> dict[str, Any]:
            nonlocal exact
            document, known = parts.json(node)
            exact = exact and known
            return document

        document: dict[str, Any] = {"type": DICT.type}
        properties = {name: one(node) for name, node in self.fields.items()}
        patterns = {source: one(node) for _, source, node in self.patterns}
        implied = {name: one(node) for name, node in self.implies.items()}
        found = {
            "properties": properties,
            "patternProperties": patterns,
            "dependentSchemas": implied,
            "required": list(self.required),
            "dependentRequired": {name: list(all_) for name, all_ in self.needs.items()},
        }
        document |= {keyword: value for keyword, value in found.items() if value}
        if self.names is not None:
            document["propertyNames"] = one(self.names)
        if self.forbidden or self.others is not None:
            document["additionalProperties"] = False if self.forbidden else one(self.others)  # type: ignore[arg-type]
        return document, exact

    def what(self, _parts: Parts) -> str:
        return "a valid dictionary"


class OneOf(Node):
    """Exactly one check passes."""

    __slots__ = ("specs",)

    def __init__(self, specs: tuple[Any, ...]) -> None:
        self.specs = specs

    def build(self, parts: Parts) -> Run:
        checks = [parts.run(spec) for spec in self.specs]

        def run(value: Any, state: State | None) -> Any:
            results = [check(value, state) for check in checks]
            failed = [result for result in results if type(result) is Problems]
            passed = len(results) - len(failed)
            if passed == 1:
                return value
            what = f"valid by exactly one of {len(results)} schemas"
            if passed:
                return Problems([Problem("invalid", what, value, got=f"by {passed}")])
            return Problems([Problem("invalid", what, value, branches=failed)])

        return run

    def json(self, parts: Parts) -> Document:
        documents = [parts.json(spec) for spec in self.specs]
        if all(exact for _, exact in documents):
            return {"oneOf": [document for document, _ in documents]}, True
        if not all(document for document, _ in documents):
            return {}, False
        return {"anyOf": [document for document, _ in documents]}, False

    def what(self, _parts: Parts) -> str:
        return f"valid by exactly one of {len(self.specs)} schemas"


def _found(result: Any) -> Problems:
    return result if type(result) is Problems else Problems()


def _missing(code: str, message: str, name: Any) -> Problems:
    return Problems([Problem(code, "", None, message=message)]).at(name)
