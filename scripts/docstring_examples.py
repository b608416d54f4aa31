"""For the API pages: a docstring's `Example:` section is one of examples, not a note."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from griffe import Extension

if TYPE_CHECKING:
    from griffe import Object


class DocstringExamples(Extension):
    """The google convention knows `Examples:` only; in the singular a session would be set as prose."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Rename the section before the docstring is parsed."""
        if obj.docstring:
            text = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE)
            obj.docstring.value = text
