"""The configuration of the services, from the environment alone.

It replaces a loader that called the ESC command line itself. ``load_config`` and its result are the same. sophia-run
reads ESC and ``.env`` files, and starts the program:

    sophia-run -- python3 -m services.config_loader
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field


# ``repr=False`` keeps secrets out of logs that print these objects.
@dataclass
class QdrantConfig:
    url: str = field(repr=False)
    api_key: str = field(repr=False)


@dataclass
class AppConfig:
    qdrant: QdrantConfig
    openai_api_key: str | None = field(repr=False)
    summaries: bool


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

    openai_api_key = environment.get("OPENAI_API_KEY") or None
    config = AppConfig(
        qdrant=QdrantConfig(
            url=required("QDRANT_URL"), api_key=required("QDRANT_API_KEY")
        ),
        openai_api_key=openai_api_key,
        summaries=openai_api_key is not None,
    )
    if missing:
        names = ", ".join(missing)
        raise ValueError(f"not set: {names}; start this program by sophia-run")
    return config


if __name__ == "__main__":
    print(load_config())
