"""What type a value has. A bool is not a number, and text is not a list."""

from __future__ import annotations

from typing import Any, Final

from shared.core.checks import refuse

from .._checks import kinds
from .._nodes.items import DICT
from .._nodes.leaf import Leaf, of_type
from .._spec.validator import Rule, Validator

is_string: Final[Validator] = Rule(of_type(kinds.is_string, "a string", {"type": "string"}, str))
"""Whether a value is text."""
is_number: Final[Validator] = Rule(
    of_type(kinds.is_number, "a number", {"type": "number"}, int, float)
)
"""Whether a value is a number: int, float, Decimal, Fraction or NumPy's; a bool is not."""
is_bool: Final[Validator] = Rule(of_type(kinds.is_bool, "a boolean", {"type": "boolean"}, bool))
"""Whether a value is True or False."""
is_list: Final[Validator] = Rule(of_type(kinds.is_list, "a list", {"type": "array"}, list, tuple))
"""Whether a value is a list or a tuple."""
is_dict: Final[Validator] = Rule(of_type(DICT.test, DICT.what, {"type": "object"}, dict))
"""Whether a value is a dictionary, or another mapping."""


def is_instance_of(*types: type) -> Validator:
    """Return a check that a value is an instance of one of the types.

    A bool is not an int, and an int is accepted for a float.

    Args:
        *types: Classes.

    Returns:
        A validator.

    Raises:
        TypeError: Something is not a class.

    Example:
        >>> is_instance_of(int, str)("a"), is_instance_of(int)(True)
        (True, False)
    """
    from .._nodes.group import AnyOf

    listed: Any = types[0] if len(types) == 1 else types
    classes = listed if isinstance(listed, tuple) else types
    for one in classes or (None,):
        if not isinstance(one, type):
            raise refuse("types", "classes", one, TypeError)
    return Rule(AnyOf(tuple(classes)))


def json_integer() -> Leaf:
    """Return a check that a number is whole, as JSON Schema has it: 1.0 is."""
    return of_type(kinds.is_json_integer, "an integer", {"type": "integer"})
