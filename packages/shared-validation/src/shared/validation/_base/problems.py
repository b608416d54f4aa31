"""A failure before it is put into words.

The words need the whole path: whether a value may be shown is known only there. So a check answers
with problems, containers add where they are, and `render` writes the errors at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from shared.core.checks import shown
from shared.core.redaction import MARKER, PLAIN, SECRET, key_verdict, one_line, scrub

from .errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

_REASONS: Final = 5  # errors of one branch in a message; all are in `branches`
MOST: Final = 1000  # errors in one result: a hostile list must not become a million sentences


class Path(str):
    """A part of a path that is written as it is."""

    __slots__ = ()


class Problem:
    """One failure.

    Args:
        code: The code of the error to come.
        what: Completes "must be ...".
        value: The value.
        got: What stands after "not" in place of the value, such as its length.
        context: The limits named in `what`.
        message: The whole sentence, in place of `what`.
        cause: The exception of a validator.
        branches: The problems of each branch of an `any_of`.
    """

    __slots__ = (
        "branches", "cause", "code", "context", "got", "message", "path", "secret", "value", "what",
    )  # fmt: skip

    def __init__(
        self,
        code: str,
        what: str,
        value: Any,
        *,
        got: str | None = None,
        context: dict[str, Any] | None = None,
        message: str | None = None,
        cause: Exception | None = None,
        branches: Iterable[Problems] = (),
    ) -> None:
        self.code = code
        self.what = what
        self.value = value
        self.got = got
        self.context = context
        self.message = message
        self.cause = cause
        self.branches = branches
        self.secret = False
        self.path: list[Hashable] = []  # from the inside out


class Problems(list[Problem]):
    """What a check returns in place of the value."""

    __slots__ = ()

    def at(self, key: Hashable) -> Problems:
        """Say that they are all at `key` of what contains them."""
        for problem in self:
            problem.path.append(key)
        return self


def wrong_type(what: str, value: Any) -> Problems:
    """Return the problem of a value of another type than `what`."""
    name = "None" if value is None else type(value).__name__
    return Problems([Problem("type", what, value, got=name)])


def render(problems: Problems, prefix: str = "", *, secret: bool = False) -> list[ValidationError]:
    """Return the errors of problems, at most `MOST` and one that says that there are more."""
    errors = [_error(problem, prefix, secret=secret) for problem in problems[:MOST]]
    if len(problems) > MOST:
        errors.append(ValidationError("", f"has more than {MOST} errors; no more are listed"))
    return errors


def _error(problem: Problem, prefix: str, *, secret: bool) -> ValidationError:
    value, cause = problem.value, problem.cause
    keys = [prefix] if prefix else []
    keys += [key for key in reversed(problem.path) if isinstance(key, str)]
    verdict = max((1 + (v == SECRET) for k in keys if (v := key_verdict(k)) != PLAIN), default=0)
    number = isinstance(value, (int, float))
    hidden = secret or problem.secret or verdict == 2 or (verdict == 1 and not number)
    if isinstance(cause, ValidationError):
        message = cause.message
    elif cause is not None:
        message = _cause(cause, value, hidden=hidden, named=bool(keys))
    else:
        message = problem.message or f"must be {problem.what}{_but(problem, keys, hidden=hidden)}"
    branches = [render(branch, prefix, secret=hidden) for branch in problem.branches]
    if branches and problem.message is None and problem.code != "type":
        message = "; or ".join(dict.fromkeys(map(_reasons, branches)))
    error = ValidationError(
        _path(prefix, reversed(problem.path)),
        message,
        problem.code,
        "" if problem.code == "missing" else type(value).__name__,
        context=problem.context,
        branches=branches,
    )
    if not hidden:
        error.__cause__ = cause
    return error


def _reasons(branch: list[ValidationError]) -> str:
    text = " and ".join(map(str, branch[:_REASONS]))
    return text if len(branch) <= _REASONS else f"{text} and {len(branch) - _REASONS} more"


def _but(problem: Problem, keys: list[str], *, hidden: bool) -> str:
    if problem.code == "type":
        return f", not {problem.got}"
    if problem.code in {"missing", "extra"}:
        return ""
    if hidden:
        return f", not {MARKER}"
    if problem.got is not None:
        return f", not {problem.got}" if problem.got else ""
    # A value without a name may be a password: it is not shown.
    return f", not {shown(problem.value)}" if keys else ""


def _cause(cause: Exception, value: Any, *, hidden: bool, named: bool) -> str:
    kind = type(cause).__name__
    if hidden:
        return f"is not valid ({kind})"
    known = [value] if isinstance(value, str) and not named else []
    try:
        text = one_line(str(cause), secrets=known)
    except Exception:  # noqa: BLE001 - the error of a validator must not replace the result
        text = ""
    if isinstance(cause, (ValueError, AssertionError)) and text:
        return text  # the way in which many libraries' validators refuse
    return f"could not be checked: {kind}: {text}".rstrip(": ")


def _path(prefix: str, keys: Iterable[Hashable]) -> str:
    path = prefix
    for key in keys:
        if isinstance(key, Path):
            path += f".{key}" if path and not key.startswith("[") else key
        elif isinstance(key, str) and len(key) <= 80 and key.isidentifier() and scrub(key) is key:
            path += f".{key}" if path else key
        else:
            path += f"[{shown(key)}]"
    return path
