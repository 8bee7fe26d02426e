"""The errors of ready-made tasks: a branch of the tree in `corral.errors`.

::

    CorralError
    ├── DeliveryError                       about something that is sent to somebody
    │   ├── TargetRefused                   it may not be sent there
    │   ├── DeliveryFailed                  it was sent and not taken, or there was no answer
    │   │   └── LookUpsBusy                 its name was not even looked up: too many others are
    │   ├── DeliveryRefused                 it was understood, and will never be taken
    │   ├── TokenInvalid                    who it was for is not there any more
    │   ├── InvalidKey                      a key that deliveries cannot be signed with
    │   ├── NotGenuine                      a delivery that nobody signed whose key is known
    │   ├── MailRefused                     a mail server said no to this mail
    │   └── MailServerUnavailable           no mail server answered, or let us in: may be tried again
    └── DefinitionError
        └── TemplateBroken                  a template of a mail
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from corral.errors import CorralError, DefinitionError, InvalidInput

__all__ = [
    "DeliveryError",
    "DeliveryFailed",
    "DeliveryRefused",
    "InvalidKey",
    "LookUpsBusy",
    "MailRefused",
    "MailServerUnavailable",
    "NotGenuine",
    "TargetRefused",
    "TemplateBroken",
    "TokenInvalid",
]


class DeliveryError(CorralError):
    """Something about what is sent to somebody, or about what it is signed with. No message holds a secret."""


class TargetRefused(DeliveryError, InvalidInput):
    """Nothing may be sent to ``target``; ``reason`` says why, and does not say what its name resolves to."""

    def __init__(self, target: str, reason: str) -> None:
        self.target = target
        self.reason = reason
        super().__init__(f"nothing is sent to {target[:120]!r}: {reason}")


class DeliveryFailed(DeliveryError):
    """``target`` did not take what was sent. ``status`` is the one of its answer, None where there was none;
    ``response`` its head, and ``retry_after`` the seconds that it asked to wait, if it did. May be tried again."""

    def __init__(
        self,
        target: str,
        reason: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        response: str = "",
    ) -> None:
        self.target = target
        self.reason = reason
        self.status = status
        self.retry_after = retry_after
        self.response = response
        super().__init__(f"{target[:120]!r} did not take it: {reason}")


class LookUpsBusy(DeliveryFailed):
    """Nothing was sent to the host ``target``, and nothing is known about it: look-ups of names that hang hold all
    threads for them, or those that one host may have. May be tried again."""

    def __init__(self, target: str) -> None:
        super().__init__(target, "too many look-ups of names are under way: try it again later")


class DeliveryRefused(DeliveryError):
    """``target`` would never take this message: it is too long for it, for instance."""

    def __init__(self, target: str, reason: str) -> None:
        self.target = target
        self.reason = reason
        super().__init__(f"{target[:120]!r} refuses this message: {reason}")


class TokenInvalid(DeliveryError):
    """The token, or the address, of ``target`` is good for nothing any more: forget it, or give another one."""

    def __init__(self, target: str, reason: str) -> None:
        self.target = target
        self.reason = reason
        super().__init__(f"{target[:120]!r} has no valid token: {reason}")


class InvalidKey(DeliveryError, InvalidInput):
    """Deliveries cannot be signed, or checked, with this key, which is not told."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"this key cannot be used: {reason}. `SigningKey.generate()` makes one")


class NotGenuine(DeliveryError):
    """A delivery cannot be shown to come from who should have sent it."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"this delivery is not genuine: {reason}")


class MailRefused(DeliveryError):
    """The mail server took a mail for none of its recipients: ``reply`` is what it said, with its code;
    ``replies`` the same by recipient, where it said it to each. ``is_permanent``: it would say so again (5xx)."""

    def __init__(
        self, reply: str, *, is_permanent: bool, replies: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.reply = reply
        self.replies = dict(replies)
        self.is_permanent = is_permanent
        super().__init__(f"the mail server refuses this mail: {reply}")


class MailServerUnavailable(DeliveryError):
    """The mail server could not be reached, did not let us in, or did not say in time whether it took the mail. May be
    tried again; in the last case the mail may arrive twice, with the same `Message-ID`."""

    def __init__(self, server: str, cause: str) -> None:
        self.server = server
        self.cause = cause
        super().__init__(f"mail server {server} cannot be used ({cause}): check its address, TLS and login")


class TemplateBroken(DefinitionError):
    """A template does not parse, or uses a name that nobody gives it."""

    def __init__(self, template: str, reason: str) -> None:
        self.template = template
        self.reason = reason
        super().__init__(f"template {template} cannot be used: {reason}")
