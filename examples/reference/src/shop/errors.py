"""What can be wrong in the shop. None of it gets better by trying again."""

from __future__ import annotations

__all__ = ["NotFound", "OutOfStock", "PaymentRefused", "Refused", "Taken"]


class Refused(Exception):
    """The shop will not do it; the message may be shown to who asked."""


class NotFound(Refused):
    """There is no such thing, or it is not theirs."""


class Taken(Refused):
    """It is there already, or too far on its way."""


class OutOfStock(Refused):
    """There are not as many left."""


class PaymentRefused(Refused):
    """The payment provider does not take the money."""
