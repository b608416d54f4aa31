"""Check the arguments of a function by its annotations."""

from __future__ import annotations

import inspect
import re
import sys
import types
import typing
from contextlib import nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload
from weakref import WeakKeyDictionary

from shared.core.callables import decorate, describe, kind_of, wrap

from .._base.problems import MOST, Problems, render
from .._base.result import ValidationResult
from .._nodes.group import AllOf, Anything
from .._nodes.items import DICT, Each, Keys
from .._nodes.state import State, too_deep
from .._spec.parts import Builder, node_of
from .generated import exact_types, generated

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._nodes.node import Run

P = ParamSpec("P")
T = TypeVar("T")

_BY = "validate_arguments"
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@overload
def validate_arguments(fn: Callable[P, T], /) -> Callable[P, T]: ...
@overload
def validate_arguments(
    fn: None = None, /, **validators: Any
) -> Callable[[Callable[P, T]], Callable[P, T]]: ...
def validate_arguments(fn: Any = None, /, **validators: Any) -> Any:
    """Check the arguments of every call by the function's annotations; a decorator.

    Nothing is converted: the function receives what the caller passed. Annotations are classes,
    generics such as `list[int]` and `dict[str, X]`, unions, `Literal`, `TypedDict`, `NewType`,
    `Self`, type variables, aliases and `Annotated` with validators, functions or annotated-types
    constraints. A name that is not defined yet is looked up at the first call. Every item of a
    collection is checked. Defaults are not.

    Args:
        fn: A function of any kind, sync or async, or a method. Not a class: decorate its `__init__`.
        **validators: For a parameter, what its argument must be besides its annotation.

    Returns:
        A function of the same kind and signature, or a decorator.

    Raises:
        TypeError: `fn` cannot be served, or `validators` names no parameter of it; at a call, an
            annotation names something that does not exist.
        ValidationError: At a call: arguments are not valid; all errors are in `errors`.

    Example:
        >>> from typing import Annotated
        >>> from shared.validation import ValidationError, min_length
        >>> @validate_arguments
        ... def greet(name: Annotated[str, min_length(2)], times: int = 1):
        ...     return f"Hello {name}! " * times
        >>> greet("Ada")
        'Hello Ada! '
        >>> try:
        ...     greet("A", times="3")
        ... except ValidationError as error:
        ...     print(error)
        name: must be at least 2 characters long, not 1
        times: must be an integer, not str
    """
    frame = sys._getframe(1)  # noqa: SLF001 - names of the function's surroundings
    scope = dict(frame.f_locals) if frame.f_locals is not frame.f_globals else {}
    del frame
    make = partial(_decorated, validators=validators, scope=scope)
    return make if fn is None else make(fn)


def _decorated(fn: Any, *, validators: dict[str, Any], scope: dict[str, Any]) -> Any:
    if isinstance(fn, type):
        raise TypeError(
            f"{_BY} decorates functions, not the class {fn.__name__}: decorate its __init__"
        )

    def make(inner: Any) -> Any:
        if hasattr(inner, "registry") and hasattr(inner, "dispatch"):  # single dispatch
            return _guarded(inner, _Dispatch(inner, validators, scope))
        return _guarded(inner, _Arguments(inner, validators, scope))

    return decorate(fn, make, by=_BY)


def _guarded(fn: Any, arguments: Any) -> Any:
    kind = kind_of(fn)
    if kind in {"sync", "async"} and isinstance(arguments, _Arguments):
        quick = arguments.quick(asynchronous=kind == "async")
        if quick is not None:
            return quick
    if kind == "async":

        async def guarded(*args: Any, **kwargs: Any) -> Any:
            arguments.check(args, kwargs)
            return await fn(*args, **kwargs)

        return guarded
    if kind == "sync":

        def guarded_too(*args: Any, **kwargs: Any) -> Any:
            arguments.check(args, kwargs)
            return fn(*args, **kwargs)

        return guarded_too

    def around(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        arguments.check(args, kwargs)
        return nullcontext()

    return wrap(fn, around, by=_BY)


def _refuse(problems: Problems) -> None:
    ValidationResult(is_valid=False, errors=render(problems)).raise_for_errors()


class _Table(typing.NamedTuple):
    """The check of each parameter, None where there is nothing to check."""

    positional: list[tuple[str, Run | None]]
    named: dict[str, Run | None]
    more: Run | None  # *args
    others: Run | None  # **kwargs
    recursive: bool


class _Arguments:
    """The parameters of one function and their checks."""

    def __init__(self, fn: Any, validators: dict[str, Any], scope: dict[str, Any]) -> None:
        self._fn = fn
        self._name = describe(fn)
        self._source = _innermost(fn)
        self._parameters = _signature(fn)
        names = {name for name, one in self._parameters.items() if one.kind < one.VAR_KEYWORD}
        open_ended = any(one.kind is one.VAR_KEYWORD for one in self._parameters.values())
        for name, spec in validators.items():
            if name not in names and not open_ended:
                raise TypeError(f"{_BY}: {self._name} has no parameter {name!r}")
            node_of(spec)
        self._validators = validators
        self._pending: dict[str, Any] = {}
        self._annotations: dict[str, Any] = {}
        for name, one in self._parameters.items():
            if one.annotation is not one.empty:
                try:
                    self._annotations[name] = self._resolved(one.annotation, scope)
                except NameError:
                    self._pending[name] = one.annotation
        words = set(re.findall(r"\w+", " ".join(map(str, self._pending.values()))))
        self._scope = {name: value for name, value in scope.items() if name in words}
        self._table: _Table | None = None
        self._by_owner: WeakKeyDictionary[type, _Table] = WeakKeyDictionary()
        if not self._pending:
            self._prepare()

    def check(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Check the arguments of a call: a ValidationError with all that is wrong."""
        if self._pending:
            self._resolve_pending(args)
        positional, named, more, others, recursive = self._table or self._of_owner(args)
        state = State() if recursive else None
        problems = Problems()

        def one(run: Run | None, value: Any, *keys: Any) -> None:
            if run is None or len(problems) > MOST:
                return
            try:
                result = run(value, state)
            except RecursionError:
                result = too_deep(value)
            if type(result) is Problems:
                for key in keys:
                    result.at(key)
                problems.extend(result)

        for value, (name, run) in zip(args, positional, strict=False):
            one(run, value, name)
        if more is not None and len(args) > len(positional):
            one(more, args[len(positional) :], self._star(inspect.Parameter.VAR_POSITIONAL))
        unknown = {}
        for name, value in kwargs.items():
            if name in named:
                one(named[name], value, name)
            else:
                unknown[name] = value
        if others is not None:
            one(others, unknown)
        if problems:
            _refuse(problems)

    def _star(self, kind: Any) -> str:
        return next(name for name, one in self._parameters.items() if one.kind is kind)

    def _prepare(self) -> None:
        """Build the checks, if they are the same for every call."""
        self._scope = {}
        if any(map(_names_self, self._annotations.values())):
            return
        self._table = self._build(None)

    def quick(self, *, asynchronous: bool) -> Any:
        """Return the function with its checks as generated code; None if that cannot be."""
        if self._table is None or self._table.recursive:
            return None
        parts = Builder()
        known = {}
        if any(name.startswith("_s_") for name in self._parameters):
            return None  # names of the generated code
        for name, one in self._parameters.items():
            spec = self._annotations.get(name, Anything())
            if name in self._validators:
                spec = AllOf((spec, self._validators[name]))
            node = parts.node(spec)
            if one.kind in {one.VAR_POSITIONAL, one.VAR_KEYWORD}:
                return None
            if not isinstance(node, Anything):
                known[name] = (exact_types(node, parts), parts.run(spec))
        return generated(self._fn, self._parameters, known, _refuse, asynchronous=asynchronous)

    def _of_owner(self, args: tuple[Any, ...]) -> _Table:
        first = args[0] if args else None
        owner = first if isinstance(first, type) else type(first)
        table = self._by_owner.get(owner)
        if table is None:
            table = self._by_owner[owner] = self._build(owner)
        return table

    def _build(self, owner: type | None) -> _Table:
        parts = Builder(owner=owner)
        positional: list[tuple[str, Run | None]] = []
        named: dict[str, Run | None] = {}
        more = others = None
        for name, one in self._parameters.items():
            spec = self._annotations.get(name, Anything())
            if one.kind is one.VAR_POSITIONAL:
                more = self._rest(parts, spec, Each)
            elif one.kind is one.VAR_KEYWORD:
                others = self._rest(parts, spec, _each_value)
            else:
                if name in self._validators:
                    spec = AllOf((spec, self._validators[name]))
                run = None if isinstance(parts.node(spec), Anything) else parts.run(spec)
                if run is not None and one.default is not one.empty:
                    run = _unless(one.default, run)
                if one.kind in _POSITIONAL:
                    positional.append((name, run))
                if one.kind is not one.POSITIONAL_ONLY:
                    named[name] = run
        for name in self._validators.keys() - self._parameters.keys():
            named[name] = parts.run(self._validators[name])
        return _Table(positional, named, more, others, parts.recursive)

    @staticmethod
    def _rest(parts: Builder, spec: Any, each: Any) -> Run | None:
        if typing.get_origin(spec) is typing.Unpack:  # **options: Unpack[Options]
            return parts.run(typing.get_args(spec)[0])
        return None if isinstance(parts.node(spec), Anything) else parts.run(each(spec))

    def _resolved(self, annotation: Any, names: dict[str, Any]) -> Any:
        def shim() -> None: ...

        shim.__annotations__ = {"it": annotation}
        source = self._source
        names = {one.__name__: one for one in getattr(source, "__type_params__", ())} | names
        try:
            found = typing.get_type_hints(
                shim, getattr(source, "__globals__", {}), names, include_extras=True
            )
        except (SyntaxError, TypeError) as error:
            raise TypeError(
                f"{_BY}: {self._name}: {annotation!r} is not an annotation: {error}"
            ) from None
        Builder().run(found["it"])  # a NameError if something inside it comes later
        return found["it"]

    def _resolve_pending(self, args: tuple[Any, ...]) -> None:
        names = {**_surroundings(self._source, args), **self._scope}
        for name, annotation in list(self._pending.items()):
            try:
                self._annotations[name] = self._resolved(annotation, names)
            except NameError as error:
                raise TypeError(
                    f"{_BY}: the annotation of {name!r} of {self._name} cannot be resolved: {error}"
                ) from None
        self._pending = {}
        self._prepare()


class _Dispatch:
    """The arguments of a function with single dispatch: those of the implementation to be called."""

    def __init__(self, fn: Any, validators: dict[str, Any], scope: dict[str, Any]) -> None:
        self._fn = fn
        self._validators = validators
        self._scope = scope
        self._known: dict[Any, _Arguments] = {}
        self.check((), {})

    def check(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Check the arguments of a call."""
        target = self._fn.dispatch(type(args[0]) if args else object)
        known = self._known.get(target)
        if known is None:
            known = self._known[target] = _Arguments(target, self._validators, self._scope)
        if args:
            known.check(args, kwargs)


def _unless(default: Any, run: Run) -> Run:
    return lambda value, state: value if value is default else run(value, state)


def _each_value(spec: Any) -> Keys:
    return Keys(Anything(), spec, DICT)


def _signature(fn: Any) -> dict[str, inspect.Parameter]:
    options: dict[str, Any] = {}
    if sys.version_info >= (3, 14):
        import annotationlib

        options["annotation_format"] = annotationlib.Format.FORWARDREF
    try:
        return dict(inspect.signature(fn, **options).parameters)
    except (TypeError, ValueError):
        raise TypeError(f"{_BY}: {describe(fn)} does not tell its parameters") from None


def _innermost(fn: Any) -> Any:
    """Return the function that a callable stands for: it knows its globals."""
    while True:
        if isinstance(fn, partial):
            fn = fn.func
        elif hasattr(fn, "__wrapped__"):
            fn = fn.__wrapped__
        elif isinstance(fn, types.MethodType):
            fn = fn.__func__
        elif hasattr(fn, "__globals__"):
            return fn
        else:
            call = getattr(type(fn), "__call__", None)  # noqa: B004 - its globals are wanted
            if not hasattr(call, "__globals__"):
                return fn
            fn = call


def _surroundings(fn: Any, args: tuple[Any, ...]) -> dict[str, Any]:
    """Return the names around a function that can be known at a call, the nearest last."""
    names: dict[str, Any] = {}
    home = getattr(fn, "__qualname__", "").partition(".<locals>")
    frame = sys._getframe(1)  # noqa: SLF001 - where the function was made, if that still runs
    while home[1] and frame is not None:
        if frame.f_code.co_qualname == home[0]:
            names = {**frame.f_locals}
            break
        frame = frame.f_back  # type: ignore[assignment]
    del frame
    for name, cell in zip(
        getattr(getattr(fn, "__code__", None), "co_freevars", ()),
        fn.__closure__ or (),
        strict=False,
    ):
        with suppress(ValueError):  # not set yet
            names[name] = cell.cell_contents
    if args:
        owner = args[0] if isinstance(args[0], type) else type(args[0])
        for cls in reversed(owner.__mro__):
            names |= {one.__name__: one for one in getattr(cls, "__type_params__", ())}
            names[cls.__name__] = cls
    return names


def _names_self(annotation: Any) -> bool:
    if getattr(annotation, "_name", None) == "Self":
        return True
    arguments = typing.get_args(annotation)
    return any(_names_self(one) for one in arguments if not isinstance(one, (str, int)))
