"""What a program tells structlog itself: its context variables, and processors set later."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from .context import EMPTY
from .fields import clean_bound

if TYPE_CHECKING:
    from .._redaction.sanitizer import Sanitizer
    from .context import Bound

Call = tuple[Any, tuple[Any, ...], dict[str, Any], "Bound"]
_OURS: Final = ("timestamp", "level", "logger")  # every line has its own
_RENDERERS: Final = frozenset(
    [
        *("JSONRenderer", "ConsoleRenderer", "KeyValueRenderer", "LogfmtRenderer"),
        *("wrap_for_formatter", "render_to_log_kwargs", "render_to_log_args_and_kwargs"),
    ]
)


class _Untouched:
    """Structlog's configuration as long as it is not ours."""

    default_processors = ()
    default_wrapper_class: Any = None


class Structlog:
    """The part of structlog that the pipeline looks at.

    Attributes:
        config: Structlog's own configuration object, once it is wired to the pipeline.
        variables: Structlog's context variables by name.
    """

    def __init__(self) -> None:
        self.config: Any = _Untouched
        self.variables: Mapping[str, Any] = {}
        self._wrapper: object = None

    def adopt(self, wrapper: object) -> None:
        """Look at structlog, whose `wrapper_class` is ours from now on."""
        from structlog import _config, contextvars

        self.config = _config._CONFIG  # noqa: SLF001 - `get_config` builds a dict for every line
        self.variables = contextvars._CONTEXT_VARS  # noqa: SLF001 - the public one copies the context
        self._wrapper = wrapper

    def fields(self, sanitizer: Sanitizer) -> dict[str, Any]:
        """Return what `structlog.contextvars.bind_contextvars` bound, clean for a line."""
        found = ((name, variable.get(...)) for name, variable in list(self.variables.items()))
        bound = {name.removeprefix("structlog_"): v for name, v in found if v is not ...}
        return clean_bound(bound, sanitizer)

    def process(
        self, name: str, level: str, event: Any, args: tuple[Any, ...], kw: dict[str, Any], bound: Bound
    ) -> Call | None:  # fmt: skip
        """Run the processors that structlog was configured with after us.

        A renderer is left out, since the pipeline renders.

        Returns:
            Message, arguments, fields and bound fields of the line; None if a processor dropped it.
        """
        config = self.config
        if config.default_wrapper_class is not self._wrapper:
            return event, args, kw, bound
        given = {**bound.raw, **kw}
        result: Any = {**given, "event": event % args if args else event}
        try:
            for processor in list(config.default_processors):
                if not isinstance(result, Mapping) or _renders(processor):
                    break
                result = processor(logging.getLogger(name), level, result)
        except sys.modules["structlog"].DropEvent:
            return None
        if isinstance(result, tuple) and len(result) == 2:
            positional, fields = result
            event, fields = (positional or ("",))[0], dict(fields)
        elif isinstance(result, Mapping):
            fields = dict(result)
            event = fields.pop("event", "")
        else:
            event, fields = result, {}
        for key in _OURS:
            if key not in given:
                fields.pop(key, None)
        if "exc_info" in given and "exc_info" not in fields:  # shown as data, not as text
            fields.pop("exception", None)
            fields["exc_info"] = given["exc_info"]
        return event, (), fields, EMPTY


def _renders(processor: Any) -> bool:
    kind = processor if hasattr(processor, "__qualname__") else type(processor)
    name = kind.__qualname__.rpartition(".")[2]
    return name in _RENDERERS and str(kind.__module__).startswith("structlog.")


STRUCTLOG: Final = Structlog()
