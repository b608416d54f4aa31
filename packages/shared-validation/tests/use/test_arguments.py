"""Arguments by annotations: every kind of callable, every kind of annotation."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import (
    Annotated,
    Any,
    Literal,
    NewType,
    NotRequired,
    Optional,
    Protocol,
    Self,
    TypedDict,
    TypeVar,
    Union,
    Unpack,
)

import annotated_types as at
import pytest

from shared.validation import (
    SchemaValidator,
    ValidationError,
    is_integer,
    is_positive,
    min_length,
    validate_arguments,
)

check: Any = validate_arguments  # type checkers would refuse the wrong calls below

UserId = NewType("UserId", int)
N = TypeVar("N", int, str)
B = TypeVar("B", bound="Base")
Late = TypeVar("Late", bound="Afterwards")


class Base: ...


@check
def later(values: list[Late]) -> list[Late]:
    return values


class Afterwards(Base): ...


class Derived(Base): ...


class Movie(TypedDict):
    title: str
    year: NotRequired[int]
    sequel: NotRequired[Movie | None]


class Quacks(Protocol):
    def quack(self) -> str: ...


GOOD_AND_BAD = [
    (int, [1, 10**30], [True, 1.0, "1", None]),
    (float, [1.5, 2, float("nan")], [True, "1", 1j]),
    (complex, [1j, 1.0, 1], [True, "1"]),
    (bool, [True], [1, 0, "true"]),
    (str, ["", "a"], [b"a", 1, None]),
    (bytes, [b"a"], ["a"]),
    (None, [None], [0, ""]),
    (Any, [object()], []),
    (object, [None, 1], []),
    (list, [[1]], [(1,), "a"]),
    (list[int], [[], [1]], [[True], ["1"], (1,), "1"]),
    (list[list[int]], [[[1]]], [[["x"]], [1]]),
    (set[str], [{"a"}], [{1}, ["a"]]),
    (frozenset[int], [frozenset({1})], [{1}]),
    (tuple[int, str], [(1, "a")], [(1,), (1, "a", 2), ("a", 1), [1, "a"]]),
    (tuple[int, ...], [(), (1, 2)], [(1, "a"), [1]]),
    (tuple[()], [()], [(1,)]),
    (dict[str, int], [{}, {"a": 1}], [{1: 1}, {"a": "x"}, []]),
    (Mapping[str, list[int]], [{"a": [1]}], [{"a": ["x"]}, [("a", [1])]]),
    (Sequence[str], [["a"], ("a",)], ["a", [1], {"a"}]),
    (Iterable[int], [[1], iter([1])], [5]),
    (Callable[[int], str], [print], [5]),
    (Union[int, str], [1, "a"], [None, 1.5]),  # noqa: UP007
    (Optional[int], [None, 1], ["a"]),  # noqa: UP045
    (int | list[int] | None, [1, [1], None], ["a", ["a"]]),
    (Literal[1, "a"] | None, [1, "a", None], [True, 2, "b"]),
    (UserId, [UserId(1)], ["a", True]),
    (N, [1, "a"], [1.5]),
    (B, [Base(), Derived()], [5]),
    (type[Base], [Base, Derived], [int, Base()]),
    (Movie, [{"title": "x"}, {"title": "x", "year": 1, "more": 2},
             {"title": "x", "sequel": {"title": "y"}}],
     [{}, {"title": 1}, {"title": "x", "year": "1"}, {"title": "x", "sequel": {"title": 5}}, []]),
    (Quacks, [5], []),
    (Annotated[str, min_length(2)], ["ab"], ["a", 5]),
    (Annotated[int, is_positive, lambda n: n % 2 == 0], [2], [3, -2, "a"]),
    (Annotated[int, at.Gt(0), at.Le(10)], [1, 10], [0, 11, "5"]),
    (Annotated[list[int], at.Len(1, 2)], [[1]], [[], [1, 2, 3], ["a"]]),
    (Annotated[int, at.MultipleOf(5), at.Predicate(lambda n: n < 50)], [10], [7, 100]),
    (Annotated[int, "a note", at.Interval(ge=1, lt=5)], [4], [5, 0]),
    (Annotated[dict, SchemaValidator({"a": is_integer})], [{"a": 1}], [{}, {"a": "x"}]),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "good", "bad"), GOOD_AND_BAD, ids=str)
def test_annotations(annotation, good, bad):
    def function(value):
        return value

    function.__annotations__ = {"value": annotation}
    checked = check(function)
    for value in good:
        assert checked(value) is value
        assert checked(value=value) is value
    for value in bad:
        for call in (checked, lambda v: checked(value=v)):
            with pytest.raises(ValidationError) as caught:
                call(value)
            assert caught.value.path.startswith("value")


def test_all_errors_at_once_with_paths():
    @check
    def order(
        ident: int, /, items: list[dict[str, int]], *more: int, note: str = "", **rest: float
    ) -> tuple[Any, ...]:
        return ident, items, more, note, rest

    assert order(1, [{"a": 1}], 2, 3, note="x", tax=1) == (1, [{"a": 1}], (2, 3), "x", {"tax": 1})
    with pytest.raises(ValidationError) as caught:
        order("1", [{"a": "x"}, {1: 1}], 2, "3", note=5, tax="much", ident="y")
    assert [error.path for error in caught.value.errors] == [
        "ident",
        "items[0].a",
        "items[1][1]",
        "more[1]",
        "note",
        "tax",
        "ident",
    ]


def test_wrong_calls_are_the_functions_own_errors():
    @check
    def f(a: int, b: int = 1) -> int:
        return a + b

    for args, kwargs in [((), {}), ((1, 2, 3), {}), ((1,), {"c": 1}), ((1,), {"a": 1})]:
        with pytest.raises(TypeError):
            f(*args, **kwargs)
    assert f(1) == 2


def test_name_signature_and_kind_stay():
    @check
    async def fetch(url: str, *, limit: int = 5) -> str:
        "What it does."
        return url * limit

    assert inspect.iscoroutinefunction(fetch)
    assert (fetch.__name__, fetch.__doc__) == ("fetch", "What it does.")
    assert str(inspect.signature(fetch)) == "(url: 'str', *, limit: 'int' = 5) -> 'str'"
    assert asyncio.run(fetch("a", limit=2)) == "aa"
    with pytest.raises(ValidationError):
        asyncio.run(fetch("a", limit="2"))


def test_methods_of_all_kinds_and_self():
    class Account:
        @check
        def __init__(self, name: str) -> None:
            self.name = name

        @check
        def merge(self, other: Self, *, more: list[Self] | None = None) -> str:
            return self.name + other.name

        @check
        def same(self, other: Account) -> bool:
            return self is other

        @classmethod
        @check
        def named(cls, name: str) -> Any:
            return cls(name)

        @check
        @classmethod
        def under(cls, name: str) -> Any:
            return cls(name)

        @staticmethod
        @check
        def double(n: int) -> int:
            return 2 * n

        @property
        @check
        def size(self: Account) -> int:
            return len(self.name)

    class Special(Account): ...

    a, b = Account("a"), Special.under("b")
    assert (a.merge(b), a.same(a), Account.named("x").name, a.double(2), a.size) == (
        "ab", True, "x", 4, 1,
    )  # fmt: skip
    for call in (
        lambda: Account(5),
        lambda: a.merge("b"),
        lambda: b.merge(a),  # an Account is not the Special that Self is here
        lambda: a.merge(a, more=[5]),
        lambda: a.same(5),
        lambda: Account.named(5),
        lambda: Account.under(5),
        lambda: a.double("2"),
    ):
        with pytest.raises(ValidationError):
            call()


def test_generators_partials_objects_and_caches():
    @check
    def count(to: int):
        yield from range(to)

    @check
    async def acount(to: int):
        for index in range(to):
            yield index

    async def collect(to):
        return [index async for index in acount(to)]

    assert inspect.isgeneratorfunction(count)
    assert list(count(2)) == asyncio.run(collect(2)) == [0, 1]
    for call in (lambda: list(count("2")), lambda: asyncio.run(collect("2"))):
        with pytest.raises(ValidationError):
            call()

    def add(a: int, b: int) -> int:
        return a + b

    class Adder:
        def __call__(self, a: int, b: int) -> int:
            return a + b

    for fn in (functools.partial(add, 1), functools.partial(Adder(), 1)):
        checked = check(fn)
        assert checked(2) == 3
        with pytest.raises(ValidationError, match="b: must be an integer"):
            checked("2")
    for other in (Adder(), functools.cache(add), Adder().__call__):
        checked = check(other)
        assert checked(1, b=2) == 3
        with pytest.raises(ValidationError):
            checked(1, b="2")


def test_single_dispatch_checks_the_implementation_that_runs():
    @check
    @functools.singledispatch
    def show(value: object, times: int = 1):
        return "object"

    @show.register
    def _(value: str, times: float = 1):
        return value

    @show.register
    def _(value: list, times: str = ""):  # type: ignore[type-arg]
        return "list"

    assert (show("a", 1.5), show([], "x"), show(5, 2)) == ("a", "list", "object")
    for bad in (("a", "x"), ([], 1), (5, 1.5)):
        with pytest.raises(ValidationError):
            show(*bad)


def test_marked_coroutine_functions_stay_async():
    if not hasattr(inspect, "markcoroutinefunction"):
        pytest.skip("Python 3.12 has marks")

    @check
    @inspect.markcoroutinefunction
    def start(n: int):
        return asyncio.sleep(0, n)

    assert asyncio.run(start(5)) == 5
    with pytest.raises(ValidationError):
        asyncio.run(start("5"))


def test_validators_by_name():
    @check(name=min_length(2), size=is_positive)
    def f(name, *, size: int = 1, **more):
        return name

    assert f("ab", size=2) == "ab"
    with pytest.raises(ValidationError) as caught:
        f("a", size=-1)
    assert [error.path for error in caught.value.errors] == ["name", "size"]
    with pytest.raises(TypeError, match="has no parameter 'nmae'"):
        check(nmae=min_length(2))(lambda name: name)


def test_what_cannot_be_served_is_refused_when_decorated():
    for thing in (5, int, dict, Base, "text"):
        with pytest.raises(TypeError):
            check(thing)


def test_bounds_that_come_later():
    assert later([Afterwards()])
    with pytest.raises(ValidationError):
        later([Base()])


def test_names_that_come_later():
    @check
    def f(value: Later, values: list[Later] | None = None) -> Later:
        return value

    @dataclass
    class Later:
        n: int

    one = Later(1)
    assert f(one, [one]) is one
    with pytest.raises(ValidationError, match="value: must be a Later"):
        f(5)


def test_a_name_that_never_comes_is_named():
    @check
    def f(value: Nowhere):  # type: ignore[name-defined] # noqa: F821
        return value

    with pytest.raises(TypeError, match=r"'value' of .*f cannot be resolved: .*Nowhere"):
        f(1)


def test_a_class_in_its_own_method():
    class Node:
        @check
        def link(self, other: Node | None) -> None:
            self.other = other

    def elsewhere(node):
        node.link(Node())
        with pytest.raises(ValidationError):
            node.link(5)

    elsewhere(Node())


def test_unpacked_keyword_arguments():
    class Options(TypedDict):
        depth: int
        name: NotRequired[str]

    @check
    def f(**options: Unpack[Options]):
        return options

    assert f(depth=1) == {"depth": 1}
    with pytest.raises(ValidationError) as caught:
        f(name=5)
    assert [(e.path, e.code) for e in caught.value.errors] == [
        ("depth", "missing"),
        ("name", "type"),
    ]


def test_secret_arguments_do_not_show():
    @check
    def login(name: str, password: Annotated[str, lambda s: s.isdigit()]):
        return name

    with pytest.raises(ValidationError) as caught:
        login("a", "hunter2")
    assert "hunter2" not in f"{caught.value!r}{caught.value}"


def test_deep_and_cyclic_arguments_end():
    @check
    def f(movie: Movie):
        return movie

    movie: Any = {"title": "x"}
    movie["sequel"] = movie
    deep: Any = {}
    for _ in range(3000):
        deep = {"title": "x", "sequel": deep}
    for bad in (movie, deep):
        with pytest.raises(ValidationError):
            f(bad)
