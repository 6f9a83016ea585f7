"""What the environment may say: overrides of keys, `${VAR}` inside values, and provider credentials."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from otari_daemon.config.document import Kind, Scalar
from otari_daemon.config.problems import NOWHERE, Path

PROVIDER_VARIABLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "anthropic": ("ANTHROPIC_API_KEY",),
        "cerebras": ("CEREBRAS_API_KEY",),
        "cohere": ("COHERE_API_KEY",),
        "dashscope": ("DASHSCOPE_API_KEY",),
        "deepinfra": ("DEEPINFRA_API_KEY",),
        "deepseek": ("DEEPSEEK_API_KEY",),
        "fireworks": ("FIREWORKS_API_KEY",),
        "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        "groq": ("GROQ_API_KEY",),
        "huggingface": ("HF_TOKEN",),
        "inception": ("INCEPTION_API_KEY",),
        "minimax": ("MINIMAX_API_KEY",),
        "mistral": ("MISTRAL_API_KEY",),
        "moonshot": ("MOONSHOT_API_KEY",),
        "nebius": ("NEBIUS_API_KEY",),
        "openai": ("OPENAI_API_KEY",),
        "openrouter": ("OPENROUTER_API_KEY",),
        "perplexity": ("PERPLEXITY_API_KEY",),
        "sambanova": ("SAMBANOVA_API_KEY",),
        "together": ("TOGETHER_API_KEY",),
        "voyage": ("VOYAGE_API_KEY",),
        "xai": ("XAI_API_KEY",),
    }
)
"""Provider type to the variables its key is commonly kept in, the first that is set winning."""

KEYLESS_TYPES = frozenset(
    {
        "anthropic-compatible",
        "llamacpp",
        "llamafile",
        "lmstudio",
        "ollama",
        "openai-compatible",
        "vllm",
    }
)
"""Types that run without a key, so nothing in the environment announces them."""

PROVIDER_TYPES = KEYLESS_TYPES | PROVIDER_VARIABLES.keys()

_REFERENCE = re.compile(r"\$\{([^}]*)\}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Overrides = Mapping[str, str | int | float | bool | None]
"""Options of the command line by dotted key; `None` was not given."""


class Unresolved(Exception):
    """A `${...}` that cannot be replaced; the message says why, without the value around it."""


def resolved(scalar: Scalar, environ: Mapping[str, str]) -> Scalar:
    """Replace every `${VAR}` once; what a variable holds is not looked at again.

    A value of the file without any stays itself, with its YAML kind; so does one not of the file.
    """
    if scalar.kind is Kind.UNTYPED or not _REFERENCE.search(scalar.text):
        return scalar

    def replacement(match: re.Match[str]) -> str:
        name = match[1]
        if not _VARIABLE.fullmatch(name):
            raise Unresolved("${...} takes the name of one environment variable")
        if not environ.get(name):
            raise Unresolved(f"environment variable {name} is not set")
        return environ[name]

    return replace(scalar, text=_REFERENCE.sub(replacement, scalar.text), kind=Kind.UNTYPED)


def override(path: Path, options: Overrides, environ: Mapping[str, str]) -> Scalar | None:
    """Find what outranks the file for one key: its option, else its `OTARI_` variable if not empty."""
    option = options.get(".".join(path))
    if option is not None:
        return untyped(str(option), "--" + "-".join(path).replace("_", "-"))
    variable = "OTARI_" + "_".join(path).upper()
    return untyped(environ[variable], variable) if environ.get(variable) else None


def provider_key(provider_type: str, environ: Mapping[str, str]) -> Scalar | None:
    """Find a provider's key in the variable its own tools read, if any is set."""
    for variable in PROVIDER_VARIABLES.get(provider_type, ()):
        if environ.get(variable):
            return untyped(environ[variable], variable)
    return None


def untyped(text: str, origin: str) -> Scalar:
    """Make a scalar that is not in the file and converts to whatever is expected."""
    return Scalar(text, Kind.UNTYPED, NOWHERE, origin)
