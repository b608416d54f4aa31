"""Validators of one's own."""

import pickle

import pytest

import shared.validation as v


class Even(v.Validator):
    def __call__(self, value):
        return value % 2 == 0


class Pair(v.Validator):
    """Overrides `validate`."""

    def validate(self, value):
        if isinstance(value, list) and len(value) == 2:
            return v.ValidationResult(validated_data=tuple(value))
        error = v.ValidationError("[0].deep", "must be a pair", "too_short", context={"limit": 2})
        return v.ValidationResult(is_valid=False, errors=[error])


class Careful(v.SchemaValidator):
    """Extends `validate`."""

    def validate(self, value):
        result = super().validate(value)
        if result.is_valid and value["a"] == 13:
            return v.ValidationResult(
                is_valid=False, errors=[v.ValidationError("a", "must bring luck")]
            )
        return result


def test_subclasses_work_alone_and_in_schemas():
    even, pair = Even(), Pair()
    assert even(2)
    assert not even(3)
    assert not even.validate("x")
    assert pair([1, 2])
    assert not pair([1])
    result = v.validate_dict({"n": 3, "p": [1], "q": [1, 2]}, {"n": even, "p": pair, "q": pair})
    assert [(e.path, e.code, e.message) for e in result.errors] == [
        ("n", "invalid", "must be accepted by Even, not 3"),
        ("p[0].deep", "too_short", "must be a pair"),
    ]
    assert v.validate_dict({"q": [1, 2]}, {"q": pair}).validated_data == {"q": (1, 2)}
    careful = Careful({"a": int})
    assert careful({"a": 1})
    assert not careful({"a": 13})
    assert v.validate_dict({"c": {"a": 13}}, {"c": careful}).errors[0].path == "c.a"
    with pytest.raises(TypeError, match="must override validate or __call__"):
        v.Validator()(1)


def test_a_validator_with_a_message_keeps_code_and_context():
    rule = v.FunctionValidator(v.max_length(3), "too long, sorry")
    error = rule.validate("four").errors[0]
    assert (error.message, error.code, error.context) == (
        "too long, sorry",
        "too_long",
        {"limit": 3},
    )
    other = v.FunctionValidator(lambda value: False, "no", code="luck").validate(1).errors[0]
    assert (other.message, other.code) == ("no", "luck")


def test_functions_that_raise_or_return_results():
    def refuses(value):
        raise v.ValidationError("inner", "must be nice", "pattern", context={"a": 1})

    def delegates(value):
        return v.validate(value, v.min_value(5))

    (error,) = v.validate(1, refuses).errors
    assert (error.code, error.message, error.context) == ("pattern", "must be nice", {"a": 1})
    (error,) = v.validate(1, delegates).errors
    assert (error.code, error.message) == ("too_small", "must be at least 5")


def test_a_validator_is_called_once_for_a_value():
    calls = []

    def seen(value):
        calls.append(value)
        return False

    v.validate_dict({"a": 1, "b": [2]}, {"a": v.all_of(seen), "b": v.each(seen)})
    assert calls == [1, 2]
    decorated = v.validate_arguments(a=seen)(lambda a: a)
    with pytest.raises(v.ValidationError):
        decorated(3)
    assert calls == [1, 2, 3]


def test_errors_and_results():
    assert str(v.ValidationError("name is required")) == "name is required"
    error = v.ValidationError("a.b", "must be x", "choice", "str", context={"allowed": ["x"]})
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.path, copy.message, copy.code, copy.value_type, copy.context) == (
        "a.b", "must be x", "choice", "str", {"allowed": ["x"]},
    )  # fmt: skip
    assert error.errors == [error]
    assert not v.ValidationResult(is_valid=False, errors=[error])
    assert v.ValidationResult()
    with pytest.raises(v.ValidationError) as caught:
        v.ValidationResult(is_valid=False, errors=[error]).raise_for_errors()
    assert caught.value is error
