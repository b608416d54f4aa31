"""What users hold: a validator of one value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from shared.core.checks import choice, function, refuse, text

from .._base.problems import Problems, render
from .._base.result import ValidationResult
from .._nodes.call import Call, Reworded
from .._nodes.mapping import EXTRAS, Fields
from .._nodes.state import State, too_deep
from .parts import Builder, node_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .._nodes.node import Node, Run


class Validator:
    """The base of all validators: call it for True or False, or ask for the errors.

    A subclass overrides `validate`, or `__call__` alone. All validators work in schemas, in
    `Annotated` of `validate_arguments` and in `Annotated` of pydantic.

    Example:
        >>> class Even(Validator):
        ...     def __call__(self, value):
        ...         return value % 2 == 0
        >>> Even()(4), [error.message for error in Even().validate(5).errors]
        (True, ['must be accepted by Even'])
    """

    _run: Run | None = None
    _recursive = False

    def __call__(self, value: Any, /) -> bool:
        """Return whether a value is valid."""
        if type(self).validate is not Validator.validate:
            return self.validate(value).is_valid
        return type(self._checked(value)) is not Problems

    def validate(self, value: Any) -> ValidationResult:
        """Return whether a value is valid, with all errors and the value to use.

        Args:
            value: Any value; it is not changed.

        Returns:
            The result.

        Example:
            >>> from shared.validation import is_integer
            >>> is_integer.validate("5").errors[0].message
            'must be an integer, not str'
        """
        result = self._checked(value)
        if type(result) is Problems:
            return ValidationResult(is_valid=False, errors=render(result))
        return ValidationResult(validated_data=result)

    def to_json_schema(self) -> dict[str, Any]:
        """Return a JSON Schema (draft 2020-12) of what is checked.

        It refuses nothing that this validator accepts. What has no keyword, such as a function, is
        left out.

        Returns:
            A new dictionary.

        Example:
            >>> from shared.validation import min_length
            >>> min_length(2).to_json_schema()
            {'type': 'string', 'minLength': 2}
        """
        parts = self._parts()
        node = self.__node__
        document, _ = parts.json(node)
        if parts.definitions:
            document = {**document, "$defs": parts.definitions}
        return document

    @property
    def __node__(self) -> Node:
        cls = type(self)
        if cls.validate is not Validator.validate:
            return Call(self.validate)
        return self._own()

    def _own(self) -> Node:
        if type(self).__call__ is Validator.__call__:
            raise TypeError(f"{type(self).__name__} must override validate or __call__")
        return Call(self)

    def _parts(self) -> Builder:
        return Builder()

    def _checked(self, value: Any) -> Any:
        run = self._run
        if run is None:
            parts = self._parts()
            run = parts.run(self._own())
            self._recursive = parts.recursive
            self._run = run
        try:
            return run(value, State() if self._recursive else None)
        except RecursionError:
            return too_deep(value)

    def __repr__(self) -> str:
        try:
            return f"<validator: {self._parts().what(self.__node__)}>"
        except (TypeError, RecursionError):
            return object.__repr__(self)

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """Check what pydantic has read, inside `Annotated`; part of pydantic's protocol."""
        from pydantic_core import PydanticCustomError, core_schema

        def check(value: Any) -> Any:
            result = self.validate(value)
            if result.is_valid:
                return result.validated_data
            first, text = result.errors[0], "; ".join(map(str, result.errors))
            raise PydanticCustomError(
                cast("Any", first.code), "{message}", {**first.context, "message": text}
            )  # pydantic names the field

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(self, core: Any, handler: Callable[[Any], Any]) -> Any:
        """Add what is checked to pydantic's JSON Schema; part of pydantic's protocol."""
        document = handler(core)
        ours = self.to_json_schema()
        if ours.keys() & {"$defs", "$ref"} or "$ref" in document:
            return document
        return {**ours, **document}


class Rule(Validator):
    """A validator made of a node."""

    def __init__(self, node: Node) -> None:
        self._made = node

    def _own(self) -> Node:
        return self._made


class Constraint(Rule):
    """A rule that annotated-types knows too: pydantic, Hypothesis and others read it natively."""

    __is_annotated_types_grouped_metadata__ = True

    def __init__(self, node: Node, constraints: Callable[[Any], list[Any]]) -> None:
        super().__init__(node)
        self._constraints = constraints

    def __iter__(self) -> Iterator[Any]:
        import annotated_types

        return iter(self._constraints(annotated_types))


class FunctionValidator(Validator):
    """A function or another validator, with a message.

    Args:
        fn: Returns True or False for a value; what it raises is a failure. Not async.
        message: The message of the error. None: ours, or that of the validator.
        code: The code of the error. None: "invalid", or that of the validator.

    Raises:
        TypeError: `fn` is not callable, or is async.

    Example:
        >>> from shared.validation import is_slug
        >>> slug = FunctionValidator(is_slug, "lower-case words with hyphens, please")
        >>> slug.validate("No!").errors[0].message
        'lower-case words with hyphens, please'
    """

    def __init__(
        self, fn: Callable[[Any], object], message: str | None = None, *, code: str | None = None
    ) -> None:
        inner = node_of(function("fn", fn))
        if message is not None:
            text("message", message, empty=False)
        self._made = inner if message is code is None else Reworded(inner, message, code)

    def _own(self) -> Node:
        return self._made


class SchemaValidator(Validator):
    """A schema of a dictionary, compiled once.

    Args:
        schema: The fields. Each is a validator, a function, a type such as `int` or `list[str]`, or
            a dictionary again; a schema may contain itself.
        extra: What happens to fields that the schema does not name: "drop" leaves them out of
            `validated_data`, "allow" keeps them, "forbid" makes them errors.
        partial: Whether every field may be missing, as in an update.
        strip: Whether strings are checked and returned without white space at their ends. Secret
            fields are not.

    Raises:
        TypeError: Something in the schema cannot check a value.
        ValueError: `extra` is not one of the three.

    Example:
        >>> from shared.validation import is_integer, min_length
        >>> person = SchemaValidator({"name": min_length(2), "age": is_integer})
        >>> result = person.validate({"name": "J", "age": "30"})
        >>> [str(error) for error in result.errors]
        ['name: must be at least 2 characters long, not 1', 'age: must be an integer, not str']
        >>> person({"name": "Jo", "age": 30})
        True
    """

    def __init__(
        self,
        schema: Mapping[Any, Any],
        *,
        extra: str = "drop",
        partial: bool = False,
        strip: bool = False,
    ) -> None:
        if not isinstance(schema, Mapping):
            raise refuse("schema", "a dictionary", schema, TypeError)
        self.schema: Mapping[Any, Any] = schema
        self._options = {
            "extra": choice("extra", extra, EXTRAS),
            "partial": partial,
            "strip": strip,
        }
        self._made = Fields(schema, self._options)
        parts = self._parts()
        run = parts.run(schema)
        self._recursive = parts.recursive
        self._run = run

    def _own(self) -> Node:
        return self._made

    def _parts(self) -> Builder:
        return Builder(**self._options)  # type: ignore[arg-type]
