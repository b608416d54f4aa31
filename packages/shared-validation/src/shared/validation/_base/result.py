"""What a validation returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class ValidationResult:
    """Whether a value is valid, all that is wrong with it, and the value to use.

    True in a condition if it is valid.

    Args:
        is_valid: Whether it is.
        errors: What is wrong.
        validated_data: The value to use.

    Attributes:
        is_valid: Whether there are no errors.
        errors: All errors, in the order of the schema.
        validated_data: The value to use: of a dictionary its declared fields. None if there are
            errors, so that a forgotten check does not go on with bad data.

    Example:
        >>> from shared.validation import min_length, validate
        >>> result = validate("ab", min_length(3))
        >>> result.is_valid, [error.code for error in result.errors]
        (False, ['too_short'])
    """

    __slots__ = ("errors", "is_valid", "validated_data")

    def __init__(
        self,
        is_valid: bool = True,
        errors: Iterable[ValidationError] = (),
        validated_data: Any = None,
    ) -> None:
        self.is_valid: bool = is_valid
        self.errors: list[ValidationError] = list(errors)
        self.validated_data: Any = validated_data

    def __bool__(self) -> bool:
        return self.is_valid

    def __repr__(self) -> str:
        return f"ValidationResult(is_valid={self.is_valid}, errors={self.errors!r})"

    def raise_for_errors(self) -> None:
        """Do nothing if it is valid.

        Raises:
            ValidationError: With all errors in `errors`; path, message, code and context are those
                of the first.

        Example:
            >>> from shared.validation import is_integer, validate_dict
            >>> validate_dict({"a": 1}, {"a": is_integer}).raise_for_errors()
        """
        if self.is_valid:
            return
        first, *others = self.errors or [ValidationError("is not valid")]
        if not others:
            raise first
        raise ValidationError(
            first.path,
            first.message,
            first.code,
            first.value_type,
            context=first.context,
            errors=self.errors,
        )

    def translated(
        self, messages: Mapping[str, str] | Callable[[ValidationError], str | None]
    ) -> ValidationResult:
        """Return the result with other messages.

        Args:
            messages: A template for each code, with the names of its context in braces; or a
                function of an error. A message stays where there is no template, or None.

        Example:
            >>> from shared.validation import min_length, validate
            >>> result = validate("ab", min_length(3))
            >>> result.translated({"too_short": "mindestens {limit} Zeichen"}).errors[0].message
            'mindestens 3 Zeichen'
        """
        errors = [_translated(error, messages) for error in self.errors]
        return ValidationResult(self.is_valid, errors, self.validated_data)


def _translated(
    error: ValidationError, messages: Mapping[str, str] | Callable[[ValidationError], str | None]
) -> ValidationError:
    if callable(messages):
        text = messages(error)
    else:
        template = messages.get(error.code)
        text = None if template is None else template.format_map(_Known(error.context))
    translated = ValidationError(
        error.path,
        error.message if text is None else text,
        error.code,
        error.value_type,
        context=error.context,
        branches=[[_translated(one, messages) for one in branch] for branch in error.branches],
    )
    translated.__cause__ = error.__cause__
    return translated


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"  # a template of two uses must not fail in one of them
