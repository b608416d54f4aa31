"""OpenFeature's provider, reduced to one method; its asynchronous forms call the others."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

try:
    from openfeature.event import ProviderEventDetails
    from openfeature.provider import AbstractProvider, Metadata
except ModuleNotFoundError as error:
    if not str(error.name).startswith("openfeature"):
        raise
    raise ImportError(
        "feature flags need openfeature-sdk: pip install 'shared-config[flags]'"
    ) from None

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openfeature.evaluation_context import EvaluationContext
    from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType

__all__ = ["Provider"]


class Provider(AbstractProvider):
    """The interface of a provider, reduced to one method."""

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

    def report(self, changed: list[str]) -> None:
        """Report to OpenFeature which flags changed."""
        self.emit_provider_configuration_changed(ProviderEventDetails(flags_changed=changed))

    def initialize(self, evaluation_context: EvaluationContext) -> None:  # noqa: ARG002 - its interface
        """Start watching."""
        self.start()

    def get_metadata(self) -> Metadata:
        """Return the provider's name."""
        return Metadata("shared-config")

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """Evaluate a boolean flag."""
        return self.resolve(flag_key, default_value, evaluation_context, bool)

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        """Evaluate a text flag."""
        return self.resolve(flag_key, default_value, evaluation_context, str)

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        """Evaluate a whole-number flag."""
        return self.resolve(flag_key, default_value, evaluation_context, int)

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        """Evaluate a number flag."""
        return self.resolve(flag_key, default_value, evaluation_context, (float, int))

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """Evaluate a flag that is a list or a mapping."""
        return self.resolve(flag_key, default_value, evaluation_context, (list, dict))
