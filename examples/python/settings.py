# `sophia-run docs` writes this file from ../../sophia.contract.json; do not edit it.
"""The environment variables of this repository: Settings.from_environment()."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


class SettingsError(Exception):
    """Variables that are missing or malformed, by name. It holds no value."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The variables of the contract. Its `repr` does not show secrets."""

    gh_fine_grained_token: str | None = field(default=None, repr=False)
    """GitHub Token (fine-grained).
    Fine-grained GitHub token, preferred because it can be limited to individual
    repositories and permissions.
    GH_FINE_GRAINED_TOKEN: one of GitHub Token.
    See https://github.com/settings/personal-access-tokens
    """

    github_pat: str | None = field(default=None, repr=False)
    """GitHub Token (classic).
    Classic GitHub token, used if there is no fine-grained one.
    GITHUB_PAT: one of GitHub Token.
    See https://github.com/settings/tokens
    """

    pulumi_access_token: str = field(repr=False)
    """Pulumi Token.
    Pulumi access token that manages stacks and environments.
    PULUMI_ACCESS_TOKEN: required.
    See https://www.pulumi.com/docs/administration/access-identity/access-tokens/
    """

    qdrant_url: str = field(repr=False)
    """Qdrant URL.
    Endpoint of the Qdrant vector database.
    QDRANT_URL: required.
    See https://qdrant.tech/documentation/cloud/
    """

    qdrant_api_key: str = field(repr=False)
    """Qdrant API Key.
    Key of the Qdrant vector database.
    QDRANT_API_KEY: required.
    See https://qdrant.tech/documentation/cloud/authentication/
    """

    openrouter_api_key: str | None = field(default=None, repr=False)
    """OpenRouter API Key.
    OpenRouter, a gateway to many LLM providers.
    OPENROUTER_API_KEY: at least one of LLM Providers.
    See https://openrouter.ai/settings/keys
    """

    portkey_api_key: str | None = field(default=None, repr=False)
    """Portkey API Key.
    Portkey, a gateway to many LLM providers.
    PORTKEY_API_KEY: at least one of LLM Providers.
    See https://app.portkey.ai/api-keys
    """

    anthropic_api_key: str | None = field(default=None, repr=False)
    """Anthropic API Key.
    Anthropic, an LLM provider.
    ANTHROPIC_API_KEY: at least one of LLM Providers.
    See https://console.anthropic.com/settings/keys
    """

    openai_api_key: str | None = field(default=None, repr=False)
    """OpenAI API Key.
    OpenAI, an LLM provider.
    OPENAI_API_KEY: at least one of LLM Providers.
    See https://platform.openai.com/api-keys
    """

    deepseek_api_key: str | None = field(default=None, repr=False)
    """DeepSeek API Key.
    DeepSeek, an LLM provider.
    DEEPSEEK_API_KEY: at least one of LLM Providers.
    See https://platform.deepseek.com/api_keys
    """

    groq_api_key: str | None = field(default=None, repr=False)
    """Groq API Key.
    Groq, an LLM provider.
    GROQ_API_KEY: at least one of LLM Providers.
    See https://console.groq.com/keys
    """

    mistral_api_key: str | None = field(default=None, repr=False)
    """Mistral API Key.
    Mistral, an LLM provider.
    MISTRAL_API_KEY: at least one of LLM Providers.
    See https://console.mistral.ai/api-keys
    """

    database_url: str | None = field(default=None, repr=False)
    """Database URL.
    PostgreSQL database, with user and password.
    DATABASE_URL: optional.
    See
    https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
    """

    lambda_cloud_api_key: str | None = field(default=None, repr=False)
    """Lambda Cloud API Key.
    Lambda Cloud, GPU machines.
    LAMBDA_CLOUD_API_KEY: optional.
    See https://docs.lambda.ai/public-cloud/cloud-api/
    """

    tavily_api_key: str | None = field(default=None, repr=False)
    """Tavily API Key.
    Tavily, a search service for agents.
    TAVILY_API_KEY: optional.
    See https://docs.tavily.com/
    """

    serper_api_key: str | None = field(default=None, repr=False)
    """Serper API Key.
    Serper, a search service.
    SERPER_API_KEY: optional.
    See https://serper.dev/api-key
    """

    perplexity_api_key: str | None = field(default=None, repr=False)
    """Perplexity API Key.
    Perplexity, a search service with answers.
    PERPLEXITY_API_KEY: optional.
    See https://docs.perplexity.ai/
    """

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Reads os.environ or the given mapping; raises SettingsError."""
        source = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        faults: list[str] = []
        for attribute, name, convert, required in _VARIABLES:
            text = source.get(name, "")
            if not text.strip():
                if required:
                    faults.append(f"{name} is not set")
                continue
            try:
                values[attribute] = convert(text)
            except ValueError:
                faults.append(f"{name} does not have the declared format")
        if faults:
            raise SettingsError("; ".join(faults) + ": start this program with sophia-run")
        return cls(**values)


# Attribute, variable, conversion, whether it is required.
_VARIABLES: tuple[tuple[str, str, Callable[[str], object], bool], ...] = (
    ("gh_fine_grained_token", "GH_FINE_GRAINED_TOKEN", str, False),
    ("github_pat", "GITHUB_PAT", str, False),
    ("pulumi_access_token", "PULUMI_ACCESS_TOKEN", str, True),
    ("qdrant_url", "QDRANT_URL", str, True),
    ("qdrant_api_key", "QDRANT_API_KEY", str, True),
    ("openrouter_api_key", "OPENROUTER_API_KEY", str, False),
    ("portkey_api_key", "PORTKEY_API_KEY", str, False),
    ("anthropic_api_key", "ANTHROPIC_API_KEY", str, False),
    ("openai_api_key", "OPENAI_API_KEY", str, False),
    ("deepseek_api_key", "DEEPSEEK_API_KEY", str, False),
    ("groq_api_key", "GROQ_API_KEY", str, False),
    ("mistral_api_key", "MISTRAL_API_KEY", str, False),
    ("database_url", "DATABASE_URL", str, False),
    ("lambda_cloud_api_key", "LAMBDA_CLOUD_API_KEY", str, False),
    ("tavily_api_key", "TAVILY_API_KEY", str, False),
    ("serper_api_key", "SERPER_API_KEY", str, False),
    ("perplexity_api_key", "PERPLEXITY_API_KEY", str, False),
)
