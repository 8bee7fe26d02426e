"""Settings: variables of the environment, looked at when the program starts."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from pydantic import ValidationError

from corral import CorralError
from shop.settings import Settings
from shop.worker import create_worker


def test_variables_are_settings() -> None:
    """Each is a variable of the same name in capitals; what is not set has a default."""
    settings = Settings.from_environment({"SESSION_HOURS": "1.5", "WEBHOOK_NETWORKS": "10.0.0.0/8, fd00::/8"})
    assert settings.session_hours == 1.5
    assert settings.webhook_networks == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    assert settings.database_url == "sqlite:///shop.db"


@pytest.mark.parametrize("variable", ["SESSION_HOURS", "ASK_AFTER_HOURS", "WEBHOOK_NETWORKS"])
def test_a_wrong_value_stops_the_program(variable: str) -> None:
    """What cannot be is said when it starts, with the name of the setting."""
    with pytest.raises(ValidationError, match=variable.lower()):
        Settings.from_environment({variable: "many"})


@pytest.mark.parametrize("setting", ["database_url", "smtp_url"])
def test_a_wrong_url_stops_the_worker(setting: str) -> None:
    """So is a URL that leads nowhere; connections are made later."""
    with pytest.raises(CorralError):
        create_worker(Settings.model_validate({setting: "gopher://shop"}))
