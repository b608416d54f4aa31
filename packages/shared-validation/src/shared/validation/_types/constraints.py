"""The constraints of `annotated-types`, and pydantic's fields that hold them, as nodes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .._nodes.call import Call
from .._nodes.group import AllOf, NoneOf
from .._nodes.leaf import Kind, Leaf
from .._nodes.limits import compared, multiple_of, sized

if TYPE_CHECKING:
    from .._nodes.node import Node

_SIZED = Kind("something with a length", lambda value: hasattr(type(value), "__len__"), "")


def constraint(item: Any) -> Node | None:
    """Return the node of a constraint; None if it is something else."""
    known: Any = sys.modules.get("annotated_types")
    if known is None:
        return None
    if isinstance(item, known.GroupedMetadata) or type(item).__name__ == "FieldInfo":
        parts = item if isinstance(item, known.GroupedMetadata) else item.metadata
        nodes = tuple(node for part in parts if (node := constraint(part)) is not None)
        return AllOf(nodes) if nodes else None
    for kind, how in ((known.Ge, "ge"), (known.Gt, "gt"), (known.Le, "le"), (known.Lt, "lt")):
        if isinstance(item, kind):
            return compared(how, getattr(item, how))
    if isinstance(item, known.MultipleOf):
        return multiple_of(item.multiple_of)
    if isinstance(item, known.MinLen):
        return sized("min", item.min_length, _SIZED, "item", "")
    if isinstance(item, known.MaxLen):
        return sized("max", item.max_length, _SIZED, "item", "")
    if isinstance(item, known.Predicate):
        if isinstance(item.func, known.Not):
            return NoneOf((Call(item.func.func),))
        return Call(item.func)
    if isinstance(item, known.Timezone):
        return _timezone(item.tz)
    return None


def _timezone(zone: Any) -> Leaf:
    def test(value: Any) -> bool:
        has = getattr(value, "tzinfo", None)
        if zone is None or zone is ...:
            return (has is None) is (zone is None)
        return has is not None and (has == zone or str(has) == str(zone))

    what = {None: "without a time zone", ...: "with a time zone"}.get(zone, f"in {zone}")
    return Leaf(test, f"a time {what}")
