"""The suite of Django has an environment of its own (`make django`): elsewhere there is no Django to test against."""

from __future__ import annotations

import importlib.util

collect_ignore = [] if importlib.util.find_spec("django") else ["django"]
