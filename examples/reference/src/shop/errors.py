"""What can be wrong in the shop. What is `Refused` does not get better by trying again; the others may."""

from __future__ import annotations

from datetime import timedelta

__all__ = ["NotFound", "OutOfStock", "PaymentRefused", "PaymentsAway", "Refused", "Taken", "TooMany"]


class Refused(Exception):
    """The shop will not do it; the message may be shown to who asked."""


class NotFound(Refused):
    """There is no such thing, or it is not theirs."""


class Taken(Refused):
    """It is there already, or too far on its way."""


class TooMany(Refused):
    """It was tried too often; after `retry_after` it may be tried again."""

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OutOfStock(Refused):
    """There are not as many left."""


class PaymentRefused(Refused):
    """The payment provider does not take the money."""


class PaymentsAway(Exception):
    """The payment provider says nothing useful. In words of ours: a customer may read them one day."""
