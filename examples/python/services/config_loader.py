"""The configuration of the Sophia services, from the environment alone.

It replaces a loader that called the ESC command line itself. ``load_config`` and its result are the same. sophia-run
reads ESC and ``.env`` files, and starts the program:

    sophia-run -- python3 -m services.config_loader
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

_LLM_KEYS = {
    "openrouter": "OPENROUTER_API_KEY",
    "portkey": "PORTKEY_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "openai": "OPENAI_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "groq": "GROQ_API_KEY",
    "mistral": "MISTRAL_API_KEY",
}


# ``repr=False`` keeps secrets out of logs that print these objects.
@dataclass
class GitHubConfig:
    token: str = field(repr=False)
    token_type: str


@dataclass
class PulumiConfig:
    access_token: str = field(repr=False)


@dataclass
class QdrantConfig:
    url: str = field(repr=False)
    api_key: str = field(repr=False)


@dataclass
class AppConfig:
    github: GitHubConfig
    pulumi: PulumiConfig
    qdrant: QdrantConfig
    database_url: str | None = field(repr=False)
    llm_keys: dict[str, str] = field(repr=False)


def load_config(
    prefer_esc: bool = True, environment: Mapping[str, str] = os.environ
) -> AppConfig:
    """Reads the environment; raises ValueError with the names that are missing.

    ``prefer_esc`` has no effect: the environment has the values of ESC already. With ``sophia-run --prefer esc`` they win
    over the caller's variables.
    """
    del prefer_esc
    missing: list[str] = []

    def required(name: str) -> str:
        value = environment.get(name, "")
        if not value:
            missing.append(name)
        return value

    fine_grained = environment.get("GH_FINE_GRAINED_TOKEN", "")
    github_token = fine_grained or environment.get("GITHUB_PAT", "")
    if not github_token:
        missing.append("GH_FINE_GRAINED_TOKEN or GITHUB_PAT")
    config = AppConfig(
        github=GitHubConfig(
            token=github_token,
            token_type="fine_grained" if fine_grained else "classic_pat",
        ),
        pulumi=PulumiConfig(access_token=required("PULUMI_ACCESS_TOKEN")),
        qdrant=QdrantConfig(
            url=required("QDRANT_URL"), api_key=required("QDRANT_API_KEY")
        ),
        database_url=environment.get("DATABASE_URL") or None,
        llm_keys={
            provider: environment[name]
            for provider, name in _LLM_KEYS.items()
            if environment.get(name)
        },
    )
    if missing:
        names = ", ".join(missing)
        raise ValueError(f"not set: {names}; start this program by sophia-run")
    return config


if __name__ == "__main__":
    print(load_config())
