"""Feature flags from a file or a mapping, as a provider for OpenFeature."""

from __future__ import annotations

import json
import threading
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.core.forks import renew

from .._base.errors import ConfigurationError, Problem
from .._base.poll import Poller
from .flag import Flag, copied, parse_flags
from .provider import Provider

# After the provider, which names the extra to install if openfeature is missing.
from openfeature.exception import ErrorCode  # isort: skip
from openfeature.flag_evaluation import FlagResolutionDetails, Reason  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openfeature.evaluation_context import EvaluationContext

__all__ = ["FeatureFlags"]


class FeatureFlags(Provider):
    """Feature flags: constants, switches, targets and ramps.

    A flag is a constant (`{"limit": 5}`) or a definition: `enabled` (`true`), `value` (its value
    when it is on, `true`), `default` (its value when it is off, `false`), `ramp` (percent of the
    targeting keys for which it is on), `targets` (for which it is on before any ramp: targeting
    keys, or mappings of attributes such as `{"plan": ["pro", "team"]}`).

    The bucket of a targeting key is a hash of flag and key: the same in every process and after
    every restart, and a higher ramp includes all keys of a lower one.

    Args:
        source: A JSON or YAML file, or a mapping. A mapping is copied.
        interval: Seconds between two looks at the file, once the provider is registered with
            OpenFeature or `start` was called; None to reload by `reload` only.

    Attributes:
        error: The `ConfigurationError` of the last reload, or None if it succeeded.

    Raises:
        ConfigurationError: With everything that is wrong in the source.

    Example:
        >>> flags = FeatureFlags({"new-ui": {"ramp": 50, "targets": ["ada"]}, "limit": 5})
        >>> flags.is_enabled("new-ui", "ada"), flags.get("limit", 1), flags.get("no-such", "x")
        (True, 5, 'x')
        >>> from openfeature import api
        >>> api.set_provider_and_wait(flags)
        >>> api.get_client().get_integer_value("limit", 1)
        5
        >>> api.clear_providers()
    """

    def __init__(
        self,
        source: str | PathLike[str] | Mapping[str, Any],
        *,
        interval: float | None = 1.0,
    ) -> None:
        self.error: ConfigurationError | None = None
        self._path: Path | None = None
        self._poller: Poller | None = None
        self._lock = threading.RLock()
        renew(self)
        if not isinstance(source, (str, PathLike)):
            self._flags = parse_flags(source, "flags")
            return
        self._path = Path(source).expanduser()
        if interval is not None:
            self._poller = Poller(self._path, self._try_reload, interval)
        self._flags = self._read()

    # One dictionary of finished flags, replaced whole: a reader sees the old file or the new one.
    _flags: dict[str, Flag]

    def renew_after_fork(self) -> None:
        """In a child: another thread of the parent may have held the lock."""
        self._lock = threading.RLock()

    def reload(self) -> bool:
        """Read the file again.

        Returns:
            Whether anything changed.

        Raises:
            ConfigurationError: Something in it is wrong; every flag stays as it was.
        """
        if self._path is None:
            return False
        with self._lock:  # reads and replaces in one step: no older file replaces a newer one
            try:
                flags = self._read()
            except ConfigurationError as error:
                self.error = error
                raise
            self.error = None
            changed = sorted(
                k for k in flags.keys() | self._flags.keys() if self._differs(k, flags)
            )
            self._flags = flags
        if changed:
            self.report(changed)
        return bool(changed)

    def start(self) -> None:
        """Watch the file; registering the provider with OpenFeature calls this."""
        if self._poller is not None:
            self._poller.start()

    def check(self) -> bool:
        """Look at the file now, like the watching thread.

        Returns:
            Whether its content was new.
        """
        return self._poller is not None and self._poller.check()

    def shutdown(self) -> None:
        """Stop watching."""
        if self._poller is not None:
            self._poller.stop()

    def keys(self) -> list[str]:
        """Return the keys of all flags, sorted."""
        return sorted(self._flags)

    def is_enabled(
        self,
        flag_key: str,
        targeting_key: str | None = None,
        *,
        default: bool = False,
        **attributes: Any,
    ) -> bool:
        """Evaluate a boolean flag without OpenFeature's client.

        Args:
            flag_key: The flag.
            targeting_key: The user or other subject of the evaluation.
            default: The result on any error, including a flag that does not exist.
            attributes: The attributes that `targets` may compare.

        Returns:
            The flag's value or the default.
        """
        value = self.get(flag_key, default, targeting_key, **attributes)
        return value if isinstance(value, bool) else default

    def get(
        self, flag_key: str, default: Any, targeting_key: str | None = None, **attributes: Any
    ) -> Any:
        """Evaluate a flag of any type without OpenFeature's client.

        Returns:
            The flag's value, or the default on any error.
        """
        flag = self._flags.get(flag_key)
        if flag is None:
            return default
        try:
            reply = flag.evaluate(targeting_key, attributes)
        except Exception:  # noqa: BLE001 - an attribute may do anything when compared
            return default
        return default if reply.error else _own(reply.value)

    def resolve(
        self, flag_key: str, default: Any, context: EvaluationContext | None, kind: Any
    ) -> FlagResolutionDetails[Any]:
        """Evaluate a flag that must be of a type; OpenFeature's client ends up here.

        Args:
            flag_key: The flag.
            default: The result on any error.
            context: The targeting key and attributes.
            kind: A type or a tuple of types.

        Returns:
            The value with its reason; the default with `ERROR` and a code on any error.
        """
        flag = self._flags.get(flag_key)
        if flag is None:
            return _failed(default, ErrorCode.FLAG_NOT_FOUND, f"there is no flag {flag_key!r}")
        try:
            if context is None:
                reply = flag.evaluate(None, _NOTHING)
            else:
                reply = flag.evaluate(context.targeting_key, context.attributes)
        except Exception as error:  # noqa: BLE001 - an attribute may do anything when compared
            return _failed(default, ErrorCode.GENERAL, f"{type(error).__name__} in the evaluation")
        if reply.error:
            return _failed(default, ErrorCode.TARGETING_KEY_MISSING, reply.error)
        value = reply.value
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            what = f"flag {flag_key!r} is {type(value).__name__}"
            return _failed(default, ErrorCode.TYPE_MISMATCH, what)
        return FlagResolutionDetails(
            _own(value), reason=_REASONS[reply.reason], variant=reply.variant
        )

    def _differs(self, key: str, flags: dict[str, Flag]) -> bool:
        old, new = self._flags.get(key), flags.get(key)
        return old is None or new is None or old.definition != new.definition

    def _read(self) -> dict[str, Flag]:
        assert self._path is not None
        return parse_flags(_load(self._path), str(self._path))

    def _try_reload(self) -> None:
        try:
            self.reload()
        except ConfigurationError as error:
            import logging

            logging.getLogger("shared.config").error(  # noqa: TRY400 - what is wrong, not where in our code
                "%s was not loaded, the flags stay as they were: %s", self._path, error
            )


_NOTHING: dict[str, Any] = {}
_REASONS = {reason.value: reason for reason in Reason}


def _own(value: Any) -> Any:
    """Return the caller's own copy of a list or mapping, which it may change."""
    return copied(value) if isinstance(value, (list, dict)) else value


def _failed(default: Any, code: ErrorCode, message: str) -> FlagResolutionDetails[Any]:
    return FlagResolutionDetails(default, code, message, Reason.ERROR)


def _load(path: Path) -> Any:
    """Parse a flag file; YAML if its suffix says so, else JSON."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() in {".yaml", ".yml"}:
            try:
                import yaml  # type: ignore[import-untyped]
            except ImportError:
                raise ImportError(
                    "a YAML flag file needs pyyaml: pip install 'shared-config[flags]'"
                ) from None
            try:
                return yaml.safe_load(text)
            except yaml.YAMLError as error:
                mark = getattr(error, "problem_mark", None)
                where = f", line {mark.line + 1}" if mark else ""
                problem = Problem(f"{path}{where}", "is not YAML")
        else:
            return json.loads(text, object_pairs_hook=_unique)
    except OSError as error:
        problem = Problem(str(path), f"cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        problem = Problem(str(path), "cannot be read: it is not UTF-8 text")
    except json.JSONDecodeError as error:
        problem = Problem(f"{path}, line {error.lineno}", f"is not JSON: {error.msg}")
    except _TwiceError as error:
        problem = Problem(str(path), f"has the key {error} twice")
    raise ConfigurationError(problem)


class _TwiceError(Exception):
    """A key occurs twice in one object of a JSON file."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(repr(next(name for name in names if names.count(name) > 1)))
    return found
