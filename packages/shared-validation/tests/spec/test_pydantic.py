"""Validators in pydantic's `Annotated`, as annotated-types constraints, and without pydantic."""

import builtins
import sys
from typing import Annotated, Any

import annotated_types
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

import shared.validation as v


class User(pydantic.BaseModel):
    name: Annotated[str, v.min_length(2)]
    email: Annotated[str, v.is_email]
    age: Annotated[int, v.value_between(0, 150), v.multiple_of(2)] = 2
    tags: Annotated[list[str], v.each(v.is_slug), v.max_items(2)] = []
    address: Annotated[dict[str, Any], v.SchemaValidator({"zip": v.matches_pattern(r"\d{5}")})] = {"zip": "12345"}  # fmt: skip
    kind: Annotated[str, v.any_of(v.one_of("a"), v.starts_with("x-"))] = "a"


def test_good_data():
    user = User(name="Ada", email="ada@example.org", address={"zip": "54321", "more": 1})
    assert user.address == {"zip": "54321"}


@pytest.mark.parametrize(
    ("field", "value", "kind", "message"),
    [
        ("name", "A", "string_too_short", "at least 2"),
        ("email", "x", "invalid", "must be an e-mail address"),
        ("age", 152, "less_than_equal", "less than or equal to 150"),
        ("age", 3, "multiple_of", "multiple of 2"),
        ("tags", ["ok", "NO"], "pattern", "[1]: must be lower-case letters"),
        ("tags", ["a", "b", "c"], "too_long", "at most 2"),
        ("address", {"zip": "x"}, "pattern", "zip: must be text like"),
        ("kind", "{b}", "invalid", "must be 'a'; or must be text that starts with 'x-'"),
    ],
)
def test_errors_are_pydantics_with_our_codes(field, value, kind, message):
    with pytest.raises(pydantic.ValidationError) as caught:
        User(**{"name": "Ada", "email": "ada@example.org", field: value})
    (error,) = caught.value.errors()
    assert (error["loc"], error["type"]) == ((field,), kind)
    assert message in error["msg"]


def test_json_schema_of_a_model():
    properties = User.model_json_schema()["properties"]
    assert properties["name"]["minLength"] == 2
    assert properties["email"]["format"] == "idn-email"
    assert properties["tags"]["maxItems"] == 2


@given(st.from_type(Annotated[int, v.value_between(3, 5)]))  # type: ignore[arg-type]
def test_hypothesis_reads_the_constraints(number):
    assert 3 <= number <= 5


def test_constraints_are_those_of_annotated_types():
    assert list(v.min_length(2)) == [annotated_types.MinLen(2)]  # type: ignore[call-overload]
    assert list(v.is_positive) == [annotated_types.Gt(0)]  # type: ignore[call-overload]
    assert isinstance(v.max_value(5), annotated_types.GroupedMetadata)


@pytest.mark.parametrize(
    ("library", "call", "extra"),
    [
        ("email_validator", lambda: v.is_email("a@b.co"), "email"),
        ("idna", lambda: v.is_hostname("münchen.de"), "idn"),
        ("ada_url", lambda: v.is_url("https://münchen.de"), "idn"),
        ("phonenumbers", lambda: v.is_phone("+1"), "phone"),
        ("regex", lambda: v.matches_pattern("a", timeout=1), "regex"),
        ("email_validator", lambda: v.validate_dict({"a": "x"}, {"a": v.is_email}), "email"),
        ("email_validator", lambda: v.validate("x", v.FunctionValidator(lambda x: not v.is_email(x))), "email"),
    ],
    ids=range(7),
)  # fmt: skip
def test_a_missing_library_names_its_extra(monkeypatch, library, call, extra):
    from shared.validation._checks import email, hosts, phone, urls

    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == library:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    caches = (email._library, hosts._idna, urls._ada, phone._library)
    for cache in caches:
        cache.cache_clear()
    monkeypatch.delitem(sys.modules, library, raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(v.MissingExtra, match=rf"pip install 'shared-validation\[{extra}\]'"):
        call()
    for cache in caches:
        cache.cache_clear()
