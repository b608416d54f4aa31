"""A user's function as a check, and a user's message in place of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.core.callables import describe as name_of
from shared.core.callables import kind_of

from .._base.errors import MissingExtra, ValidationError
from .._base.problems import Path, Problem, Problems
from .._base.result import ValidationResult
from .node import UNKNOWN, Node
from .state import too_deep

if TYPE_CHECKING:
    from collections.abc import Callable

    from .node import Document, Parts, Run
    from .state import State


class Call(Node):
    """A function of a value that answers yes or no, or a `ValidationResult`.

    What it raises is a failure of its value. A TypeError if it is async: its answer would always
    be true.
    """

    __slots__ = ("fn",)

    def __init__(self, fn: Callable[[Any], object]) -> None:
        if kind_of(fn) != "sync":
            raise TypeError(
                f"a validator must be a plain function, not the {kind_of(fn)} {name_of(fn)}"
            )
        self.fn = fn

    def build(self, _parts: Parts) -> Run:
        fn, what = self.fn, self._what()

        def run(value: Any, _state: State | None) -> Any:
            try:
                answer = fn(value)
                if answer is True or (type(answer) is not ValidationResult and _yes(answer)):
                    return value
            except MissingExtra:
                raise
            except RecursionError:
                return too_deep(value)
            except Exception as error:  # noqa: BLE001 - the failure of this value
                return Problems([_raised(error, what, value)])
            if type(answer) is not ValidationResult:
                return Problems([Problem("invalid", what, value)])
            if answer.is_valid:
                return value if answer.validated_data is None else answer.validated_data
            return _adopt(answer.errors, value)

        return run

    def _what(self) -> str:
        name = name_of(self.fn)
        return "valid" if "<lambda>" in name else f"accepted by {name}"

    def json(self, _parts: Parts) -> Document:
        return UNKNOWN

    def what(self, _parts: Parts) -> str:
        return self._what()


class Reworded(Node):
    """Another message for all that a part finds."""

    __slots__ = ("code", "message", "spec")

    def __init__(self, spec: Any, message: str | None, code: str | None) -> None:
        self.spec = spec
        self.message = message
        self.code = code

    def optional(self, parts: Parts) -> bool:
        return parts.node(self.spec).optional(parts)

    def build(self, parts: Parts) -> Run:
        check, message, code = parts.run(self.spec), self.message, self.code

        def run(value: Any, state: State | None) -> Any:
            result = check(value, state)
            if type(result) is not Problems:
                return result
            first = result[0]
            problem = Problem(
                code or first.code, first.what, value, message=message, context=first.context
            )
            problem.secret = any(one.secret for one in result)
            return Problems([problem])

        return run

    def json(self, parts: Parts) -> Document:
        return parts.json(self.spec)

    def what(self, parts: Parts) -> str:
        return parts.what(self.spec)


def _yes(answer: Any) -> bool:
    if hasattr(answer, "__await__"):
        getattr(answer, "close", bool)()
        raise TypeError("the validator is async: its answer would always be true")
    return bool(answer)


def _raised(error: Exception, what: str, value: Any) -> Problem:
    if isinstance(error, ValidationError):
        return Problem(error.code, what, value, cause=error, context=error.context)
    return Problem("invalid", what, value, cause=error)


def _adopt(errors: list[ValidationError], value: Any) -> Problems:
    """Take over the errors of another validation; their paths are texts already."""
    problems = Problems()
    for error in errors or [ValidationError("is not valid")]:
        problem = Problem(error.code, "", value, message=error.message, context=error.context)
        if error.path:
            problem.path.append(Path(error.path))
        problems.append(problem)
    return problems
