# `sophia-run docs` writes this file from sophia.contract.json; do not edit it.
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

    qdrant_url: str = field(repr=False)
    """Qdrant URL.
    The address of the vector database
    QDRANT_URL: required; a URL that begins with http:// or https://.
    """

    qdrant_api_key: str = field(repr=False)
    """Qdrant API Key.
    The key of the vector database
    QDRANT_API_KEY: required.
    """

    openai_api_key: str | None = field(default=None, repr=False)
    """OpenAI API Key.
    The key of the language model; without it there are no summaries
    OPENAI_API_KEY: optional.
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
    ("qdrant_url", "QDRANT_URL", str, True),
    ("qdrant_api_key", "QDRANT_API_KEY", str, True),
    ("openai_api_key", "OPENAI_API_KEY", str, False),
)
