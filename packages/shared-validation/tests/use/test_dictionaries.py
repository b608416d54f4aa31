"""Dictionaries by schemas: all errors at once, in order, with paths; nothing changed or leaked."""

import copy
import pickle
import threading
from collections import UserDict, defaultdict
from types import MappingProxyType
from typing import Any

import pytest

from shared.validation import (
    FunctionValidator,
    SchemaValidator,
    ValidationError,
    all_of,
    any_of,
    each,
    is_email,
    is_integer,
    is_number,
    is_positive,
    is_string,
    keys,
    max_value,
    min_items,
    min_length,
    one_of,
    optional,
    secret,
    validate,
    validate_dict,
    when,
)

PRICE = {"name": min_length(2), "price": is_positive}


def errors(result):
    return [(error.path, error.code) for error in result.errors]


def test_all_errors_at_once_in_the_order_of_the_schema():
    schema = {
        "name": min_length(2),
        "items": all_of(min_items(1), each(PRICE)),
        "kind": one_of("a", "b"),
        "email": is_email,
    }
    data = {
        "kind": "c",
        "items": [{"name": "ok", "price": 1}, {"name": "x", "price": "1"}, {"price": -1}, 5],
        "name": None,
    }
    result = validate_dict(data, schema)
    assert errors(result) == [
        ("name", "type"),
        ("items[1].name", "too_short"),
        ("items[1].price", "type"),
        ("items[2].name", "missing"),
        ("items[2].price", "too_small"),
        ("items[3]", "type"),
        ("kind", "choice"),
        ("email", "missing"),
    ]
    assert [str(error) for error in result.errors[1:3]] == [
        "items[1].name: must be at least 2 characters long, not 1",
        "items[1].price: must be a number, not str",
    ]
    assert result.errors[6].message == "must be one of 'a', 'b', not 'c'"
    assert result.errors[2].value_type == "str"
    assert result.errors[1].context == {"limit": 2}
    assert result.validated_data is None


def test_what_is_raised_holds_all_and_survives_a_pickle():
    result = validate_dict({"a": 1, "b": 2}, {"a": is_string, "b": is_string})
    with pytest.raises(ValidationError) as caught:
        result.raise_for_errors()
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert [one.path for one in error.errors] == ["a", "b"]
        assert str(error) == "a: must be a string, not int\nb: must be a string, not int"
        assert isinstance(error, ValueError)


@pytest.mark.parametrize(
    ("extra", "data", "paths"),
    [
        ("drop", {"a": 1}, []),
        ("allow", {"a": 1, "x": 2}, []),
        ("forbid", None, ["x"]),
    ],
)
def test_extra_fields(extra, data, paths):
    result = validate_dict({"a": 1, "x": 2}, {"a": is_integer}, extra=extra)
    assert result.validated_data == data
    assert [error.path for error in result.errors] == paths
    assert {error.code for error in result.errors} <= {"extra"}


def test_options_hold_for_nested_dictionaries():
    schema = {"in": {"a": is_integer, "b": is_integer}, "list": each({"c": is_integer})}
    data = {"in": {"a": 1, "x": 1}, "list": [{"c": 1, "y": 1}]}
    assert errors(validate_dict(data, schema, extra="forbid", partial=True)) == [
        ("in.x", "extra"),
        ("list[0].y", "extra"),
    ]
    assert validate_dict(data, schema, partial=True).validated_data == {
        "in": {"a": 1},
        "list": [{"c": 1}],
    }


def test_the_input_is_never_changed():
    schema = {"a": {"b": each({"c": is_string})}, "d": optional(is_string)}
    data = {"a": {"b": [{"c": " x ", "extra": 1}]}}
    before = copy.deepcopy(data)
    result = validate_dict(data, schema, strip=True)
    assert data == before
    assert result.validated_data == {"a": {"b": [{"c": "x"}]}}
    result.validated_data["a"]["b"][0]["c"] = "changed"
    assert data == before

    counting: Any = defaultdict(list, a={"b": []})
    assert validate_dict(counting, schema).is_valid
    assert set(counting) == {"a"}


def test_secrets_are_not_stripped_and_strings_only_if_asked():
    schema = {"name": is_string, "password": is_string, "pin": secret(is_string)}
    data = {"name": " a ", "password": " p ", "pin": " 1 "}
    assert validate_dict(data, schema).validated_data == data
    assert validate_dict(data, schema, strip=True).validated_data == {**data, "name": "a"}


@pytest.mark.parametrize("kind", [dict, UserDict, MappingProxyType])
def test_any_mapping_is_a_dictionary(kind):
    assert validate_dict(kind({"a": 1}), {"a": is_integer}).validated_data == {"a": 1}


@pytest.mark.parametrize("value", [None, [], "text", 5, [("a", 1)]])
def test_what_is_no_dictionary_is_an_error(value):
    assert errors(validate_dict(value, {"a": is_integer})) == [("", "type")]


def test_optional_fields_may_be_missing_or_none():
    schema = {"a": optional(is_integer), "b": is_integer}
    assert validate_dict({"b": 1}, schema).validated_data == {"b": 1}
    assert validate_dict({"a": None, "b": 1}, schema).validated_data == {"a": None, "b": 1}
    assert errors(validate_dict({"a": "x"}, schema)) == [("a", "type"), ("b", "missing")]


def test_types_generics_and_functions_stand_in_schemas():
    schema = {"id": int, "tags": list[str], "even": lambda n: n % 2 == 0, "score": float | None}
    assert validate_dict({"id": 1, "tags": ["a"], "even": 2, "score": 1}, schema)
    found = validate_dict({"id": True, "tags": ["a", 5], "even": 3, "score": "x"}, schema)
    assert errors(found) == [
        ("id", "type"),
        ("tags[1]", "type"),
        ("even", "invalid"),
        ("score", "type"),
    ]
    assert found.errors[3].message == "must be a number or None, not str"


@pytest.mark.parametrize("bad", [None, 5, "text", [is_string], (int, str)])
def test_what_cannot_check_is_refused_when_the_schema_is_read(bad):
    with pytest.raises(TypeError, match="schema must hold validators"):
        SchemaValidator({"a": bad})


def test_an_async_validator_is_refused():
    async def check(value):
        return False

    with pytest.raises(TypeError, match="not the async"):
        validate(1, check)

    result = validate(1, lambda value: check([value]))
    assert "async" in result.errors[0].message


def test_a_validator_that_raises_is_the_failure_of_its_field():
    def explodes(value):
        raise ZeroDivisionError("division by zero")

    def refuses(value):
        raise ValueError("must be even")

    result = validate_dict({"a": 1, "b": 2, "c": 3}, {"a": explodes, "b": refuses, "c": is_string})
    assert [str(error) for error in result.errors] == [
        "a: could not be checked: ZeroDivisionError: division by zero",
        "b: must be even",
        "c: must be a string, not int",
    ]
    assert isinstance(result.errors[0].__cause__, ZeroDivisionError)


def test_any_of_says_why_each_branch_failed():
    result = validate_dict({"to": "x"}, {"to": any_of(min_length(2), one_of("a"), is_integer)})
    (error,) = result.errors
    assert error.message == (
        "must be at least 2 characters long, not 1; or must be 'a'; or must be an integer, not str"
    )
    assert [[one.code for one in branch] for branch in error.branches] == [
        ["too_short"],
        ["choice"],
        ["type"],
    ]


def test_conditions_between_fields():
    schema = all_of(
        {"pay": one_of("card", "bank"), "card": optional(is_string)},
        when({"pay": one_of("card")}, {"card": min_length(4)}, {"iban": is_string}),
    )
    assert validate({"pay": "card", "card": "1234"}, schema).validated_data == {
        "pay": "card",
        "card": "1234",
    }
    assert errors(validate({"pay": "card"}, schema)) == [("card", "missing")]
    assert errors(validate({"pay": "bank"}, schema)) == [("iban", "missing")]


def test_keys_and_values_of_open_dictionaries():
    schema = {"limits": keys(min_length(2), max_value(5))}
    found = validate_dict({"limits": {"ok": 1, "x": 9, "strange key\n": 6}}, schema)
    assert errors(found) == [
        ("limits.x", "too_short"),
        ("limits.x", "too_large"),
        ("limits['strange key\\n']", "too_large"),
    ]


# What is secret

PASSWORD = "hunter2-correct-horse"


@pytest.mark.parametrize(
    "schema",
    [
        {"password": one_of("a")},
        {"api_key": lambda value: int(value) > 0},
        {"user": {"token": {"value": one_of("a")}}},
        {"tokens": each(one_of("a"))},
        {"pin": secret(one_of("a"))},
        {"password": any_of(one_of("a"), lambda v: int(v) == 1)},
        {"password": FunctionValidator(lambda v: int(v) == 1)},
        {"pin": secret(any_of(one_of("a"), each(one_of("b"))))},
        {"credentials": keys(is_string, is_number)},
    ],
)
def test_a_secret_shows_nowhere(schema):
    def fill(spec):
        return {
            name: fill(inner)
            if isinstance(inner, dict)
            else [PASSWORD]
            if name == "tokens"
            else {"a": PASSWORD}
            if name == "credentials"
            else PASSWORD
            for name, inner in spec.items()
        }

    result = validate_dict(fill(schema), schema)
    assert not result.is_valid
    for error in result.errors:
        everything = (
            f"{error}{error!r}{error.message}{error.context}{error.branches}{error.__cause__}"
        )
        assert PASSWORD not in everything


def test_a_value_without_a_name_may_be_a_password():
    result = validate(PASSWORD, one_of("a"), lambda value: int(value) == 1)
    assert PASSWORD not in "".join(map(str, result.errors))
    assert PASSWORD in str(validate(PASSWORD, one_of("a"), name="city").errors[0])


# Data and schemas that contain themselves

NODE: dict[str, Any] = {"value": is_integer}
NODE["next"] = optional(NODE)
TREE: dict[str, Any] = {"value": is_integer}
TREE["children"] = optional(each(TREE))


def chain(length):
    data: dict[str, Any] = {"value": 0}
    for value in range(1, length):
        data = {"value": value, "next": data}
    return data


def test_a_schema_may_contain_itself():
    data = {"value": 1, "children": [{"value": 2}, {"value": "3", "children": [{"value": None}]}]}
    assert errors(validate_dict(data, TREE)) == [
        ("children[1].value", "type"),
        ("children[1].children[0].value", "type"),
    ]
    assert validate_dict(chain(200), NODE).validated_data == chain(200)


def test_depth_is_bounded():
    result = validate_dict(chain(5000), NODE)
    (error,) = result.errors
    assert error.message == "must be nested at most 200 deep"
    assert error.path.count("next") == 201


def test_a_cycle_is_an_error():
    data: dict[str, Any] = {"value": 1}
    data["next"] = data
    (error,) = validate_dict(data, NODE).errors
    assert error.message in {"must be free of itself", "must be nested at most 200 deep"}

    tree: dict[str, Any] = {"value": 1, "children": []}
    tree["children"] = [tree, tree, tree]
    assert not validate_dict(tree, TREE).is_valid


def test_shared_parts_do_not_multiply():
    for leaf in (1, "wrong"):
        data: dict[str, Any] = {"value": leaf}
        for _ in range(150):
            data = {"value": 1, "children": [data, data, data]}
        assert validate_dict(data, TREE).is_valid is (leaf == 1)


def test_a_million_bad_items_are_not_a_million_errors():
    result = validate_dict({"a": [None] * 1_000_000}, {"a": each(is_integer)})
    assert len(result.errors) == 1001
    assert "more than 1000 errors" in result.errors[-1].message


# Schemas that change, and threads


def test_a_schema_that_was_changed_is_read_again():
    inner = {"b": is_integer}
    schema: dict[str, Any] = {"a": inner}
    assert validate_dict({"a": {"b": 1}}, schema).is_valid
    inner["b"] = is_string
    assert not validate_dict({"a": {"b": 1}}, schema).is_valid
    schema["c"] = is_string
    assert errors(validate_dict({"a": {"b": "x"}}, schema)) == [("c", "missing")]


def test_schemas_made_for_each_call_do_not_gather():
    from shared.validation._use import validate as module

    for limit in range(1000):
        assert validate_dict({"a": limit}, {"a": max_value(limit)}).is_valid
        assert not validate_dict({"a": limit + 1}, {"a": max_value(limit)}).is_valid
    assert len(module._kept) <= 256


def test_many_threads_with_one_schema():
    schema = SchemaValidator(TREE)
    data = {"value": 1, "children": [{"value": index} for index in range(50)]}
    failures = []

    def work():
        for _ in range(50):
            if not (schema(data) and validate_dict(data, TREE).is_valid):
                failures.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


# Messages


def test_messages_can_be_replaced_and_translated():
    schema = {"email": FunctionValidator(is_email, "Invalid email address"), "n": max_value(3)}
    result = validate_dict({"email": "x", "n": 5}, schema)
    assert result.errors[0].message == "Invalid email address"
    german = result.translated({"too_large": "höchstens {limit} {unknown}"})
    assert german.errors[1].message == "höchstens 3 {unknown}"
    assert german.errors[0].message == "Invalid email address"
    named = result.translated(lambda error: f"{error.code}!")
    assert [error.message for error in named.errors] == ["invalid!", "too_large!"]
    assert [error.path for error in named.errors] == ["email", "n"]
