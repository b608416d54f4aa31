"""The public API as a type-checked file that is never run."""

from datetime import datetime
from typing import Any, assert_type
from uuid import UUID

from shared.ids import (
    Object,
    ParsedId,
    Snowflake,
    dict_to_object,
    generate_correlation_id,
    generate_id,
    generate_session_id,
    generate_short_id,
    generate_timestamp,
    generate_ulid,
    generate_uuid7,
    hash_string,
    normalize_whitespace,
    object_to_dict,
    parse_id,
    slugify,
    truncate_string,
)

assert_type(generate_id(prefix="user_"), str)
parsed = parse_id("x", "user")
assert_type(parsed, ParsedId)
assert_type(parsed.uuid, UUID)
assert_type(parsed.time, datetime)
assert_type(generate_uuid7(), UUID)
assert_type(generate_ulid(), str)
assert_type(generate_short_id(8, alphabet="ab"), str)
assert_type(generate_session_id(bytes=32), str)
assert_type(generate_correlation_id() + generate_timestamp(), str)
assert_type(Snowflake(1).next_id(), int)
assert_type(hash_string("a", length=8, key=b"k"), str)
assert_type(slugify("a", max_length=5, keep=".", default="x"), str)
assert_type(truncate_string("a", 5, "…", words=True), str)
assert_type(normalize_whitespace("a"), str)
made = dict_to_object({"a": 1})
assert_type(made, Object)
assert_type(object_to_dict(made), dict[Any, Any])
generate_id(5)  # type: ignore[arg-type]
