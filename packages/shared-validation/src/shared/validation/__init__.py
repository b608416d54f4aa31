"""Validators for values, dictionaries and function arguments, with all errors at once.

Example:
    >>> from shared.validation import is_positive, min_length, validate_dict
    >>> result = validate_dict(
    ...     {"name": "J", "age": -1}, {"name": min_length(2), "age": is_positive}
    ... )
    >>> for error in result.errors:
    ...     print(f"Error in {error.path}: {error.message}")
    Error in name: must be at least 2 characters long, not 1
    Error in age: must be above 0, not -1
"""

from shared.core.faces import face

__getattr__, __dir__, __all__ = face(__name__)
