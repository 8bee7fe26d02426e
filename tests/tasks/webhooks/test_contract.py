"""What webhook jobs hold, and what of it is shown."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from corral.contracts.redaction import redacted
from corral.tasks.webhooks import Change, Delivery


def test_pages_show_which_key_but_no_header() -> None:
    """The name of a key is no secret; the value of a header may be."""
    made = Delivery(url="https://a.example/", key="shop", payload=1, headers={"X-Shop": "hunter2"})
    shown = redacted(made.model_dump(mode="json"), Delivery)
    assert (shown["key"], shown["headers"]) == ("shop", {"X-Shop": "•••"})


@pytest.mark.parametrize("field", ["subscription_id", "resource_id"])
def test_no_database_is_asked_for_what_it_cannot_hold(field: str) -> None:
    """The character NUL is refused when the job is enqueued."""
    with pytest.raises(ValidationError):
        Change.model_validate({"subscription_id": "s", "action": "update", "resource_id": "1", field: "a\0"})
