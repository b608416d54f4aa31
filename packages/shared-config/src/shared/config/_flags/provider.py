"""The methods of a provider that OpenFeature's client calls, reduced to one.

`AbstractProvider` would bring most of them, but its package has no `__init__.py`: pyright's check
of type completeness then sees an unknown base class, which no comment can suppress (decision 0013).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

try:
    from openfeature.event import ProviderEvent, ProviderEventDetails
    from openfeature.provider import Metadata
except ModuleNotFoundError as error:
    if not str(error.name).startswith("openfeature"):
        raise
    raise ImportError(
        "feature flags need openfeature-sdk: pip install 'shared-config[flags]'"
    ) from None

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from openfeature.evaluation_context import EvaluationContext
    from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType
    from openfeature.hook import Hook
    from openfeature.provider import FeatureProvider
    from openfeature.track import TrackingEventDetails

__all__ = ["Provider"]


class Provider(ABC):
    """The interface of a provider, reduced to one method."""

    _on_emit: Callable[[FeatureProvider, ProviderEvent, ProviderEventDetails], None] | None = None

    @abstractmethod
    def resolve(
        self, flag_key: str, default: Any, context: EvaluationContext | None, kind: Any
    ) -> FlagResolutionDetails[Any]:
        """Evaluate a flag that must be of a type, or of one in a tuple of types."""

    @abstractmethod
    def start(self) -> None:
        """Start watching the source."""

    @abstractmethod
    def shutdown(self) -> None:
        """Stop watching."""

    def attach(
        self, on_emit: Callable[[FeatureProvider, ProviderEvent, ProviderEventDetails], None]
    ) -> None:
        """Remember where to report changes."""
        self._on_emit = on_emit

    def detach(self) -> None:
        """Stop reporting changes."""
        self._on_emit = None

    def report(self, changed: list[str]) -> None:
        """Report to OpenFeature which flags changed."""
        emit = self._on_emit
        if emit is not None:
            event = ProviderEvent.PROVIDER_CONFIGURATION_CHANGED
            emit(self, event, ProviderEventDetails(flags_changed=changed))

    def initialize(self, evaluation_context: EvaluationContext) -> None:  # noqa: ARG002 - its interface
        """Start watching."""
        self.start()

    def get_metadata(self) -> Metadata:
        """Return the provider's name."""
        return Metadata("shared-config")

    def get_provider_hooks(self) -> list[Hook]:
        """Return no hooks."""
        return []

    def track(  # noqa: B027 - it does nothing on purpose
        self,
        tracking_event_name: str,
        evaluation_context: EvaluationContext | None = None,
        tracking_event_details: TrackingEventDetails | None = None,
    ) -> None:
        """Ignore it: a file keeps no statistics."""

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """Evaluate a boolean flag."""
        return self.resolve(flag_key, default_value, evaluation_context, bool)

    async def resolve_boolean_details_async(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """Evaluate a boolean flag, without waiting."""
        return self.resolve(flag_key, default_value, evaluation_context, bool)

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        """Evaluate a text flag."""
        return self.resolve(flag_key, default_value, evaluation_context, str)

    async def resolve_string_details_async(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        """Evaluate a text flag, without waiting."""
        return self.resolve(flag_key, default_value, evaluation_context, str)

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        """Evaluate a whole-number flag."""
        return self.resolve(flag_key, default_value, evaluation_context, int)

    async def resolve_integer_details_async(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        """Evaluate a whole-number flag, without waiting."""
        return self.resolve(flag_key, default_value, evaluation_context, int)

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        """Evaluate a number flag."""
        return self.resolve(flag_key, default_value, evaluation_context, (float, int))

    async def resolve_float_details_async(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        """Evaluate a number flag, without waiting."""
        return self.resolve(flag_key, default_value, evaluation_context, (float, int))

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """Evaluate a flag that is a list or a mapping."""
        return self.resolve(flag_key, default_value, evaluation_context, (list, dict))

    async def resolve_object_details_async(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """Evaluate a flag that is a list or a mapping, without waiting."""
        return self.resolve(flag_key, default_value, evaluation_context, (list, dict))
