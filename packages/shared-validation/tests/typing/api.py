"""The public API as a type-checked file that is never run."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, assert_type

from shared.validation import (
    FunctionValidator,
    MissingExtra,
    SchemaValidator,
    UrlValidator,
    ValidationError,
    ValidationResult,
    Validator,
    all_of,
    any_of,
    contains,
    each,
    from_json_schema,
    is_email,
    is_integer,
    is_ip,
    is_phone,
    is_positive,
    is_url,
    keys,
    matches_pattern,
    min_length,
    none_of,
    not_,
    one_of,
    optional,
    secret,
    validate,
    validate_arguments,
    validate_date_range,
    validate_dict,
    validate_email,
    validate_enum,
    validate_length,
    validate_range,
    validate_required,
    validate_url,
    when,
)

assert_type(is_email("a@b.co"), bool)
assert_type(is_url("https://a.bc", schemes={"https"}), bool)
assert_type(is_url(schemes={"https"}, dotless=True), UrlValidator)
assert_type(is_ip(version=4)("1.2.3.4"), bool)
assert_type(is_phone(region="GB").validate("1"), ValidationResult)
assert_type(min_length(2)("a"), bool)
assert_type(is_positive(1), bool)

rule: Validator = all_of(
    min_length(8), lambda s: any(c.isupper() for c in s), any_of(is_email, int, list[str])
)
others: list[Validator] = [
    none_of(is_integer), not_(str), optional({"a": int}), secret(str), when(str, min_length(2)),
    keys(str, int), each({"a": is_integer}), one_of(1, "a"), contains(1),
    matches_pattern(r"\d", whole=False, timeout=0.1), FunctionValidator(is_email, "Invalid"),
]  # fmt: skip

result = validate("a", is_email, lambda value: len(value) > 2, name="email")
assert_type(result, ValidationResult)
assert_type(result.errors, list[ValidationError])
assert_type(result.is_valid, bool)
assert_type(result.errors[0].path, str)
assert_type(result.errors[0].context, dict[str, Any])
result.raise_for_errors()
assert_type(result.translated({"too_short": "{limit}"}), ValidationResult)
validate_dict({"a": 1}, {"a": is_integer, "b": {"c": str}}, extra="forbid", partial=True)

schema = SchemaValidator({"a": int}, extra="allow", strip=True)
assert_type(schema({"a": 1}), bool)
assert_type(schema.to_json_schema(), dict[str, Any])
assert_type(from_json_schema({"type": "string"}), Validator)


@validate_arguments
def bare(name: Annotated[str, min_length(2)], times: int = 1) -> str:
    return name * times


@validate_arguments(name=min_length(2))
async def later(name: str) -> int:
    return len(name)


class Service:
    @validate_arguments
    def method(self, size: Annotated[int, is_positive]) -> int:
        return size

    @classmethod
    @validate_arguments
    def made(cls, size: int) -> "Service":
        return cls()


assert_type(bare("ab", times=2), str)
kept: Callable[[str], Awaitable[int]] = later
assert_type(Service().method(1), int)
assert_type(Service.made(1), Service)

assert_type(validate_email("a"), bool)
assert_type(validate_url("a"), bool)
validate_required("a", "name")
validate_range(1, 0, 2, "n")
validate_length("a", 0, 2, "n")
validate_enum("a", ["a"], "n")
error: ValueError = ValidationError("is required")
missing: ImportError = MissingExtra("is_email", "email-validator", "email")
print(validate_date_range)
