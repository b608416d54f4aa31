from ._base.errors import ClockMovedBack, IdsError, InvalidId
from ._objects.objects import Object, dict_to_object, object_to_dict
from ._text.cut import normalize_whitespace, truncate_string
from ._text.hashes import hash_string
from ._text.slugs import slugify
from ._unique.ids import ParsedId, generate_id, parse_id
from ._unique.snowflake import Snowflake
from ._unique.tokens import (
    generate_correlation_id,
    generate_session_id,
    generate_short_id,
    generate_timestamp,
)
from ._unique.ulid import generate_ulid
from ._unique.uuid7 import generate_uuid7

__all__ = [
    "ClockMovedBack",
    "IdsError",
    "InvalidId",
    "Object",
    "ParsedId",
    "Snowflake",
    "dict_to_object",
    "generate_correlation_id",
    "generate_id",
    "generate_session_id",
    "generate_short_id",
    "generate_timestamp",
    "generate_ulid",
    "generate_uuid7",
    "hash_string",
    "normalize_whitespace",
    "object_to_dict",
    "parse_id",
    "slugify",
    "truncate_string",
]
