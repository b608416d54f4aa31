"""A text that does not show unless it is requested by name."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import SecretBytes, SecretStr
from pydantic_core import core_schema

from shared.core.redaction import MARKER, scrub

from .._base.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

__all__ = ["HiddenText", "Secret", "safe", "without_text"]


def safe(text: str) -> str:
    """Return a text that is not secret by its type or name, without the secrets in it.

    A URL that may contain a password is hidden whole.
    """
    return MARKER if "://" in text and "@" in text else scrub(text)


class HiddenText(str):
    """A secret on its way into a plain text field: pydantic-settings logs what its sources return."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(MARKER)


class Secret:
    """A password, key or token.

    `str`, `repr`, `format`, `model_dump`, JSON, `vars`, pickle and logs show a marker; only `reveal`
    returns the text. A pickled secret arrives without it: its `reveal` raises
    `ConfigurationError`, so a process that needs it loads its own settings.

    Args:
        value: The text, or another secret.

    Raises:
        TypeError: The value is not text.

    Example:
        >>> password = Secret("s3cret")
        >>> print(password, repr(password))
        [REDACTED] Secret('[REDACTED]')
        >>> password.reveal()
        's3cret'
    """

    # A closure, not an attribute: nothing that walks over attributes finds the text.
    __slots__ = ("_text",)

    _text: Callable[[], str]

    def __init__(self, value: str | Secret | SecretStr) -> None:
        text = _text_of(value)
        if text is None:
            raise TypeError(f"a secret must be text, not {type(value).__name__}")
        object.__setattr__(self, "_text", lambda: text)

    def reveal(self) -> str:
        """Return the text itself.

        Raises:
            ConfigurationError: The secret came out of a pickle.
        """
        return self._text()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is read-only")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is read-only")

    def __str__(self) -> str:
        return MARKER

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __bool__(self) -> bool:
        return self._text is refuse or bool(self._text())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        if self._text is refuse or other._text is refuse:
            return self is other
        ours, theirs = (s.reveal().encode("utf-8", "surrogatepass") for s in (self, other))
        return type(self) is type(other) and hmac.compare_digest(ours, theirs)

    def __hash__(self) -> int:
        return id(self) if self._text is refuse else hash((type(self), self._text()))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _redacted, ()

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Any], handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            # Also for a dump as a dictionary: web frameworks return it as it is.
            serialization=core_schema.plain_serializer_function_ser_schema(str),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "format": "password", "writeOnly": True}

    @classmethod
    def _validate(cls, value: object) -> Self:
        if type(value) is cls and value._text is refuse:  # noqa: SLF001 - out of a pickle
            return value
        shown = _text_of(value)
        if shown is None:
            raise ValueError(f"must be text, not {type(value).__name__}")
        is_marked = MARKER in shown
        del shown  # a traceback shows the locals
        if is_marked:
            raise ValueError("is what a dump shows instead of a secret, not the secret")
        if type(value) is cls:
            return value
        return cls(value)  # type: ignore[arg-type]


class _GoneStr(SecretStr):
    """A `SecretStr` that came out of a pickle."""

    def __init__(self) -> None:
        super().__init__(MARKER)

    def get_secret_value(self) -> NoReturn:
        refuse()

    def __reduce__(self) -> tuple[Any, ...]:
        return _GoneStr, ()


class _GoneBytes(SecretBytes):
    """A `SecretBytes` that came out of a pickle."""

    def __init__(self) -> None:
        super().__init__(MARKER.encode())

    def get_secret_value(self) -> NoReturn:
        refuse()

    def __reduce__(self) -> tuple[Any, ...]:
        return _GoneBytes, ()


def without_text(value: Any) -> Any:
    """Return what a pickle may contain instead of a value: pydantic's secrets carry their text."""
    if isinstance(value, SecretStr):
        return _GoneStr()
    if isinstance(value, SecretBytes):
        return _GoneBytes()
    if type(value) in {list, tuple, set}:
        return type(value)(map(without_text, value))
    if type(value) is dict:
        return {key: without_text(inner) for key, inner in value.items()}
    return value


def _text_of(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return None


def _redacted() -> Secret:
    secret = Secret("")
    object.__setattr__(secret, "_text", refuse)
    return secret


def refuse() -> NoReturn:
    """Stand in for the text of a secret that was pickled."""
    raise ConfigurationError(
        "this secret came out of a pickle, which never contains one: "
        "load the settings in the process that needs it"
    )
