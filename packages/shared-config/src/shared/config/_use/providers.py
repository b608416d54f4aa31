"""API keys of AI providers: set or not, well-formed or not. Nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .._base.errors import ConfigurationError
from .._base.result import ValidationResult

if TYPE_CHECKING:
    from .._secret.secrets import Secret
    from .._settings.settings import Settings

__all__ = ["PROVIDERS", "check_providers"]


class Provider(NamedTuple):
    """A provider, the variable of its key, how a key starts, and what else it needs."""

    name: str
    variable: str
    prefix: str = ""
    needs: str = ""


PROVIDERS = (
    Provider("OpenAI", "OPENAI_API_KEY", "sk-"),
    Provider("Anthropic", "ANTHROPIC_API_KEY", "sk-ant-"),
    Provider("Google Gemini", "GEMINI_API_KEY"),
    Provider("Google", "GOOGLE_API_KEY"),
    Provider("Azure OpenAI", "AZURE_OPENAI_API_KEY", needs="AZURE_OPENAI_ENDPOINT"),
    Provider("Mistral", "MISTRAL_API_KEY"),
    Provider("Groq", "GROQ_API_KEY", "gsk_"),
    Provider("Cohere", "COHERE_API_KEY"),
    Provider("DeepSeek", "DEEPSEEK_API_KEY", "sk-"),
    Provider("OpenRouter", "OPENROUTER_API_KEY", "sk-or-"),
    Provider("Together", "TOGETHER_API_KEY"),
    Provider("Hugging Face", "HF_TOKEN", "hf_"),
)

# Texts in a file that was copied from an example.
_PLACEHOLDERS = ("your", "xxx", "changeme", "change-me", "replace", "todo", "example", "<", "...")


def check_providers(settings: Settings) -> ValidationResult:
    """Check what `ConfigValidator.validate_ai_providers` promises."""
    result = ValidationResult()
    origin = settings._origin  # noqa: SLF001 - private to users, not to us
    found = 0
    for provider in PROVIDERS:
        name = provider.variable
        try:
            key = origin.lookup(name)
        except ConfigurationError as error:
            for problem in error.problems:
                result.add(problem.variable or name, problem.message, "", "warning")
            continue
        if key is None:
            continue
        found += 1
        _check_key(provider, key, result)
        if provider.needs and origin.lookup(provider.needs) is None:
            message = f"{provider.name} has a key and no {provider.needs}"
            result.add(provider.needs, message, f"set {provider.needs}", "warning")
    if not found:
        names = ", ".join(provider.variable for provider in PROVIDERS[:3])
        result.add(
            "AI providers", "no API key is set", f"set {names} or another if one is used",
            "recommendation",
        )  # fmt: skip
    return result


def _check_key(provider: Provider, key: Secret, result: ValidationResult) -> None:
    text, name = key.reveal(), provider.variable
    if any(word in text.lower() for word in _PLACEHOLDERS):
        message, remedy = "is a placeholder", f"put the key of {provider.name} there, or unset it"
    elif text != text.strip() or any(c.isspace() for c in text):
        message, remedy = "contains white space", "remove it"
    elif not text.startswith(provider.prefix):
        message = f"does not start with {provider.prefix} like keys of {provider.name}"
        remedy = "check that it is the right key"
    elif len(text) < 16:
        message, remedy = f"has only {len(text)} characters", "check that it is complete"
    else:
        return
    result.add(name, message, remedy, "warning")
