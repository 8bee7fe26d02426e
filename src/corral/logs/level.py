"""Log levels by name."""

from __future__ import annotations

import logging
import os

from corral.errors import InvalidOption

VARIABLE = "CORRAL_LOG_LEVEL"
LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}


def level_number(name: str, option: str = "level") -> int:
    """The number of a level. InvalidOption, naming `option`, when there is no such level."""
    try:
        return LEVELS[name.strip().lower()]
    except KeyError:
        raise InvalidOption(option, name, f"must be one of {', '.join(LEVELS)}") from None


def level_from_environment() -> int:
    """The level of CORRAL_LOG_LEVEL, info without it."""
    return level_number(os.environ.get(VARIABLE) or "info", VARIABLE)
