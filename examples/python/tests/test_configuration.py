"""Run by ``sophia-run -- pytest``, or by ``sophia-run --fake -- pytest`` with dummy values where there are no secrets."""

import pytest

from services.config_loader import load_config
from settings import Settings


def test_the_environment_is_complete() -> None:
    assert load_config().qdrant.url == Settings.from_environment().qdrant_url


def test_nothing_shows_a_secret() -> None:
    config = load_config()
    shown = repr(config) + repr(Settings.from_environment())
    assert config.qdrant.url not in shown
    assert config.qdrant.api_key not in shown


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="not set: .*QDRANT_URL"):
        load_config(environment={"QDRANT_API_KEY": "x"})
