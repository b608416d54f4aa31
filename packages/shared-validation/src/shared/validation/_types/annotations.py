"""Annotations as nodes: what `list[int]`, `X | None`, a TypedDict or an alias asks of a value."""

from __future__ import annotations

import collections
import functools
import sys
import types
import typing
from collections import abc
from typing import Any

from .._checks import kinds
from .._nodes.call import Call
from .._nodes.group import AllOf, AnyOf, Anything
from .._nodes.items import Each, Fixed, Keys
from .._nodes.leaf import Kind, Leaf, of_type
from .._nodes.limits import choice
from .._nodes.mapping import Fields
from .._nodes.node import Node
from .constraints import constraint

if typing.TYPE_CHECKING:
    from .._nodes.node import Document, Parts, Run

_BASIC: dict[Any, Leaf] = {
    int: of_type(kinds.is_integer, "an integer", {"type": "integer"}, int, exact=False),
    float: of_type(kinds.is_real, "a number", {"type": "number"}, float, int),
    complex: of_type(
        lambda value: isinstance(value, complex) or kinds.is_real(value),
        "a number",
        None,
        complex,
        float,
        int,
    ),
    str: of_type(kinds.is_string, "a string", {"type": "string"}, str),
    bool: of_type(kinds.is_bool, "a boolean", {"type": "boolean"}, bool),
    type(None): of_type(lambda value: value is None, "None", {"type": "null"}, type(None)),
}
_ITEMS = {list, set, frozenset, collections.deque, abc.Sequence, abc.MutableSequence, abc.Collection,
          abc.Set, abc.MutableSet}  # fmt: skip
_WRAPPERS = ("Final", "ClassVar", "Required", "NotRequired", "ReadOnly")


def is_annotation(spec: Any) -> bool:
    """Whether it is a class, or what `typing` makes."""
    return isinstance(spec, (type, types.GenericAlias, types.UnionType)) or type(
        spec
    ).__module__ in {"typing", "typing_extensions"}


def annotated(annotation: Any) -> Node:
    """Return the node of an annotation; a TypeError if nothing can be checked by it."""
    if annotation is Any or annotation is object:
        return Anything()
    if getattr(annotation, "_name", None) == "Self":
        return _Self()
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    name = getattr(origin or annotation, "_name", None) or getattr(
        origin or annotation, "__name__", ""
    )
    if origin is typing.Annotated:
        return AllOf((arguments[0], *filter(None, map(_metadata, arguments[1:]))))
    if origin in (typing.Union, types.UnionType):
        return AnyOf(arguments, narrow=True)
    if origin is typing.Literal:
        return choice(arguments)
    if origin is not None and name in _WRAPPERS:
        return AllOf(arguments)
    if hasattr(annotation, "__value__"):  # an alias
        return _Alias(annotation)
    if hasattr(origin, "__value__"):
        return _Alias(origin, arguments)
    if isinstance(annotation, typing.NewType):
        return AllOf((annotation.__supertype__,))
    if isinstance(annotation, typing.TypeVar):
        return _variable(annotation)
    if getattr(annotation, "_name", None) == "LiteralString":
        return _BASIC[str]
    if isinstance(annotation, (str, typing.ForwardRef)):
        raise TypeError(f"the annotation {annotation!r} is not resolved")
    if origin is not None:
        return _generic(origin, arguments)
    if isinstance(annotation, type):
        return _class(annotation)
    return Anything()  # ParamSpec.args, Unpack and the like say nothing about one value


def _class(cls: type) -> Node:
    known = _BASIC.get(cls)
    if known is not None:
        return known
    if typing.is_typeddict(cls):
        return _TypedDict(cls)
    if getattr(cls, "_is_protocol", False) and not getattr(cls, "_is_runtime_protocol", False):
        return Anything()  # Python cannot tell
    json = {"list": "array", "dict": "object"}.get(_builtin(cls))
    words = {"list": "a list", "dict": "a dictionary", "bytes": "bytes"}
    return of_type(
        lambda value: isinstance(value, cls),
        words.get(
            _builtin(cls), f"{'an' if cls.__name__[:1] in 'AEIOUaeiou' else 'a'} {cls.__name__}"
        ),
        {"type": json} if json else None,
        cls,
    )


def _builtin(cls: type) -> str:
    return cls.__name__ if cls.__module__ == "builtins" else ""


def _generic(origin: Any, arguments: tuple[Any, ...]) -> Node:
    if origin in (types.UnionType, typing.Union):
        return AnyOf(arguments, narrow=True)
    if origin is type:
        return _type_of(arguments[0])
    if origin is tuple:
        kind = Kind("a tuple", lambda value: isinstance(value, tuple), "array")
        if len(arguments) == 2 and arguments[1] is ...:
            return Each(arguments[0], kind)
        return Fixed(arguments, kind)
    if not isinstance(origin, type):
        return Anything()
    if origin in _ITEMS:
        what = f"a {origin.__name__.lower()}"
        return Each(
            arguments[0],
            Kind(
                what, lambda v: not isinstance(v, (str, bytes)) and isinstance(v, origin), "array"
            ),
        )
    if issubclass(origin, abc.Mapping) and len(arguments) == 2:
        what = (
            "a dictionary"
            if origin in (dict, abc.Mapping, abc.MutableMapping)
            else f"a {origin.__name__}"
        )
        return Keys(*arguments, Kind(what, lambda value: isinstance(value, origin), "object"))
    if issubclass(origin, collections.Counter):
        return Keys(arguments[0], int, Kind("a Counter", lambda v: isinstance(v, origin), "object"))
    if origin.__name__ == "Callable":
        return of_type(callable, "callable")
    return _class(origin)


def _type_of(bound: Any) -> Node:
    if isinstance(bound, typing.TypeVar):
        bound = bound.__bound__ or object
    bases = tuple(base for base in (typing.get_args(bound) or (bound,)) if isinstance(base, type))
    if not bases:
        bases = (object,)
    names = " or ".join(base.__name__ for base in bases)
    return of_type(
        lambda value: isinstance(value, type) and issubclass(value, bases), f"a class: {names}"
    )


def _variable(variable: typing.TypeVar) -> Node:
    bound = variable.__bound__
    if isinstance(bound, typing.ForwardRef):
        home = vars(sys.modules.get(variable.__module__, types))

        def shim() -> None: ...

        shim.__annotations__ = {"it": bound}
        bound = typing.get_type_hints(shim, home, {})["it"]  # a NameError if it comes later
    if bound is not None:
        return AllOf((bound,))
    if variable.__constraints__:
        return AnyOf(variable.__constraints__, narrow=True)
    return Anything()


def _metadata(item: Any) -> Any:
    """Return the check that stands in `Annotated`, or None for what is not ours."""
    if hasattr(item, "__node__"):
        return item
    found = constraint(item)
    if found is not None:
        return found
    if isinstance(
        item, (types.FunctionType, types.BuiltinFunctionType, types.MethodType, functools.partial)
    ):
        return Call(item)
    return None


class _Self(Node):
    """The class of the method's first argument."""

    __slots__ = ()

    def build(self, parts: Parts) -> Run:
        return parts.run(object if parts.owner is None else parts.owner)


class _Alias(Node):
    """`type X = ...`: its value may name it again."""

    __slots__ = ("alias", "arguments")

    def __init__(self, alias: Any, arguments: tuple[Any, ...] = ()) -> None:
        self.alias = alias
        self.arguments = arguments

    def _value(self) -> Any:
        value = self.alias.__value__
        return value[self.arguments] if self.arguments else value

    def build(self, parts: Parts) -> Run:
        return parts.run(self._value())

    def json(self, parts: Parts) -> Document:
        return parts.json(self._value())

    def what(self, _parts: Parts) -> str:
        return str(self.alias.__name__)


class _TypedDict(Node):
    """Its fields; others are allowed, as type checkers have it."""

    __slots__ = ("cls",)

    def __init__(self, cls: Any) -> None:
        self.cls = cls

    def _fields(self) -> Fields:
        cls = self.cls
        fields = typing.get_type_hints(cls, include_extras=True, localns={cls.__name__: cls})
        # With deferred annotations the class does not see its own NotRequired.
        required = {
            name
            for name, hint in fields.items()
            if _wrapped(hint, "Required")
            or (name in cls.__required_keys__ and not _wrapped(hint, "NotRequired"))
        }
        return Fields(fields, {"extra": "allow"}, frozenset(required))

    def build(self, parts: Parts) -> Run:
        return self._fields().build(parts)

    def json(self, parts: Parts) -> Document:
        return self._fields().json(parts)

    def what(self, _parts: Parts) -> str:
        return str(self.cls.__name__)


def _wrapped(hint: Any, name: str) -> bool:
    while typing.get_origin(hint) is not None:
        if getattr(typing.get_origin(hint), "_name", None) == name:
            return True
        if (
            typing.get_origin(hint) is not typing.Annotated
            and getattr(typing.get_origin(hint), "_name", "") not in _WRAPPERS
        ):
            return False
        hint = typing.get_args(hint)[0]
    return False
