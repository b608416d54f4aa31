"""A function with the checks of its arguments as generated code.

Code of the function's own signature needs no tuple and no dictionary for each call, and sees in one
comparison that an argument is of just the type that its annotation names. Three such arguments cost
0.06 us more than the plain call, where a loop over `*args` costs 0.80 us, beartype 0.20 us and
pydantic's `validate_call` 0.46 us (Python 3.11; see benchmarks/RESULTS.md).
"""

from __future__ import annotations

from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from .._base.problems import Problems
from .._nodes.group import AllOf, AnyOf
from .._nodes.leaf import Leaf

if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable, Mapping

    from .._nodes.node import Node, Parts, Run


def exact_types(node: Node, parts: Parts) -> tuple[type, ...]:
    """Return types whose own instances always pass; none if it takes more to tell."""
    if isinstance(node, Leaf):
        return node.accepts
    if isinstance(node, AnyOf):
        return tuple(one for spec in node.specs for one in exact_types(parts.node(spec), parts))
    if isinstance(node, AllOf) and len(node.specs) == 1:
        return exact_types(parts.node(node.specs[0]), parts)
    return ()


def generated(
    fn: Callable[..., Any],
    parameters: Mapping[str, inspect.Parameter],
    checks: Mapping[str, tuple[tuple[type, ...], Run]],
    refuse: Callable[[Problems], None],
    *,
    asynchronous: bool,
) -> Any:
    """Return a function that checks its arguments and calls another.

    Args:
        fn: What it calls.
        parameters: Those of `fn`: no `*args` and no `**kwargs`.
        checks: For a parameter the types that pass at once, and the check for all others. A default
            is not checked.
        refuse: Raises the error.
        asynchronous: Whether `fn` is awaited.
    """
    names: dict[str, Any] = {
        "_s_fn": fn, "_s_problems": Problems, "_s_add": _add, "_s_refuse": refuse, "_s_type": type,
    }  # fmt: skip
    declared: list[str] = []
    passed: list[str] = []
    body = ["_s_found = None"]
    last: Any = None
    for name, one in parameters.items():
        if last is not None and last.kind is one.POSITIONAL_ONLY is not one.kind:
            declared.append("/")
        if one.kind is one.KEYWORD_ONLY and "*" not in declared:
            declared.append("*")
        last = one
        has_default = one.default is not one.empty
        declared.append(f"{name}=_s_default_{name}" if has_default else name)
        passed.append(f"{name}={name}" if one.kind is one.KEYWORD_ONLY else name)
        names[f"_s_default_{name}"] = one.default
        if name not in checks:
            continue
        types, names[f"_s_check_{name}"] = checks[name]
        conditions = [f"{name} is not _s_default_{name}"] if has_default else []
        if types:
            names[f"_s_types_{name}"] = types[0] if len(types) == 1 else frozenset(types)
            word = "is not" if len(types) == 1 else "not in"
            conditions.insert(0, f"_s_type({name}) {word} _s_types_{name}")
        body += [
            f"if {' and '.join(conditions) or 'True'}:",
            f"    _s_result = _s_check_{name}({name}, None)",
            "    if _s_type(_s_result) is _s_problems:",
            f"        _s_found = _s_add(_s_found, _s_result, {name!r})",
        ]
    if last is not None and last.kind is last.POSITIONAL_ONLY:
        declared.append("/")
    body += ["if _s_found is not None: _s_refuse(_s_found)"]
    body += [f"return {'await ' if asynchronous else ''}_s_fn({', '.join(passed)})"]
    title = getattr(fn, "__name__", "")
    title = title if title.isidentifier() and not iskeyword(title) else "guarded"
    start = f"{'async ' if asynchronous else ''}def {title}({', '.join(declared)}):"
    source = "\n    ".join([start, *body])
    exec(compile(source, "<validate_arguments>", "exec"), names)  # noqa: S102 - names of parameters alone
    return names[title]


def _add(found: Problems | None, problems: Problems, name: str) -> Problems:
    return Problems([*(found or ()), *problems.at(name)])
