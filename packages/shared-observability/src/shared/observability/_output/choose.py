"""From the names that users know to encoders and sinks."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final, cast

from shared.core import checks

from .encode import encode_json
from .sink import FollowingSink, Sink, StreamSink, open_sink

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._record.fields import Record

_FORMATS: Final = ("json", "text")
_SCHEMAS: Final = (None, "otel", "ecs")


def choose_encoder(
    format: str,  # noqa: A002 - the name of the contract
    schema: str | None = None,
    argument: str = "format",
) -> Callable[[Record], bytes]:
    """Return the encoder for a format and a schema.

    Raises:
        ValueError: One of them is unknown; the message lists the valid ones.
    """
    checks.choice(argument, format, _FORMATS)
    checks.choice("schema", schema, _SCHEMAS)
    if format == "text":
        from .text import encode_text

        return encode_text
    if schema is None:
        return encode_json
    from .schema import make_schema_encoder

    return make_schema_encoder(schema)


def open_output(output: object, rotate: str | None = None, keep: int = 1) -> Sink:
    """Return the sink for "stdout", "stderr", a path or a stream with `write`.

    Raises:
        ValueError: `rotate` without the path of a file, or an unknown rotation.
        TypeError: The output is neither a name nor a stream.
        OSError: The file cannot be opened.
    """
    if isinstance(output, os.PathLike) or (
        isinstance(output, str) and output not in {"stdout", "stderr"}
    ):
        from .file import open_file

        return open_file(os.fsdecode(output), rotate, keep)
    if rotate is not None:
        raise checks.refuse("rotate", "None unless output is the path of a file", rotate)
    if isinstance(output, str):
        stream = getattr(sys, output)
        if "_pytest.capture" in sys.modules:
            return FollowingSink(output)
        if stream is None:  # pythonw and some services have none
            return open_sink(os.open(os.devnull, os.O_WRONLY), owned=True)
        try:
            descriptor = stream.fileno()
        except (OSError, ValueError, AttributeError):
            return StreamSink(stream)
        stream.flush()
        return open_sink(descriptor)
    if not callable(getattr(output, "write", None)):
        allowed = "'stdout', 'stderr', a path or a stream with write()"
        raise checks.refuse("output", allowed, output, TypeError)
    return StreamSink(cast("Any", output))
