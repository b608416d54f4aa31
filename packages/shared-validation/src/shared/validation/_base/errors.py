"""What can be wrong with a value, and with an installation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.core.faces import PackageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class ValidationError(PackageError, ValueError):
    """One thing that is wrong with a value, or all of them when it is raised for a result.

    Args:
        path: Where it is: `items[3].price`; "" for the value itself. A single argument is the
            message.
        message: What must be, in one sentence without the path.
        code: What kind of failure, for programs and translations: missing, extra, type, too_short,
            too_long, too_small, too_large, pattern, choice, not_unique or invalid.
        value_type: The name of the value's type.
        context: The limits that the message names, such as `{"limit": 8}`; never the value.
        errors: All errors, if this one stands for several.
        branches: Of a failed `any_of`: why each branch failed.

    Attributes:
        path: Where it is.
        message: What must be.
        code: What kind of failure.
        value_type: The name of the value's type.
        context: The limits that the message names.
        branches: Why each branch of an `any_of` failed.

    Example:
        >>> error = ValidationError("items[3].price", "must be a number, not str", "type", "str")
        >>> str(error), error.code
        ('items[3].price: must be a number, not str', 'type')
        >>> str(ValidationError("name is required"))
        'name is required'
    """

    def __init__(
        self,
        path: str = "",
        message: str | None = None,
        code: str = "invalid",
        value_type: str = "",
        *,
        context: Mapping[str, Any] | None = None,
        errors: Iterable[ValidationError] = (),
        branches: Iterable[Iterable[ValidationError]] = (),
    ) -> None:
        if message is None:
            path, message = "", path
        super().__init__(path, message, code, value_type)
        self.path: str = path
        self.message: str = message
        self.code: str = code
        self.value_type: str = value_type
        self.context: dict[str, Any] = dict(context or {})
        self.branches: tuple[tuple[ValidationError, ...], ...] = tuple(map(tuple, branches))
        self._errors: tuple[ValidationError, ...] = tuple(errors)

    @property
    def errors(self) -> list[ValidationError]:
        """Return all errors, in the order of the schema; itself alone if it stands for one."""
        return list(self._errors) or [self]

    def __str__(self) -> str:
        if self._errors:
            return "\n".join(map(str, self._errors))
        return f"{self.path}: {self.message}" if self.path else self.message


class MissingExtra(PackageError, ImportError):  # noqa: N818 - it reads as what it is
    """An optional library is not installed; the message names the extra that installs it.

    Example:
        >>> str(MissingExtra("is_phone", "phonenumbers", "phone"))
        "is_phone needs phonenumbers: pip install 'shared-validation[phone]'"
    """

    def __init__(self, what: str, library: str, extra: str) -> None:
        super().__init__(f"{what} needs {library}: pip install 'shared-validation[{extra}]'")
