"""The public API as a type-checked file that is never run."""

from typing import assert_type

from shared.validation import ValidationError

assert_type(str(ValidationError("gone")), str)
