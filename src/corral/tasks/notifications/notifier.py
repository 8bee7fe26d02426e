"""The handler: each target once, whatever the others do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Final, Literal, NamedTuple

from pydantic import BaseModel

from corral import Context, Unrecoverable
from corral.errors import InvalidOption
from corral.tasks._effect_key import effect_key
from corral.tasks.errors import DeliveryFailed, DeliveryRefused, TokenInvalid
from corral.tasks.notifications.contract import Device, NotificationTasks, Push, Pushed, labels_of
from corral.tasks.notifications.run import Run
from corral.tasks.notifications.service import Service, UrlService

__all__ = ["Notifier"]

KEPT: Final = timedelta(days=7)
"""How long a job that is retried by hand knows whom it has reached."""

OnInvalid = Callable[[str | Device], Awaitable[None]]


class Outcome(BaseModel):
    """What came of a target that is not tried again by itself."""

    status: Literal["reached", "invalid", "refused"]
    reason: str = ""


class Target(NamedTuple):
    """Where one message goes."""

    label: str
    service: Service
    named: str | Device


class Notifier:
    """Sends notifications: `Worker(Notifier({"ops": "slack://…", "android": "fcm://shop/{token}?keyfile=…"}).tasks())`.

    Args:
        services: by the names that jobs use: URLs of Apprise, or a `Service`. Only who runs the worker says where
            notifications go; a job only names it.
        on_invalid: told of each name or device whose token is good for nothing any more, to forget it: at least once.
            While it raises, the job is tried again.
        run_seconds: how long one run of a job lasts. Who is not reached by then is tried again, those first whose turn
            has not come. Less than the job's ``timeout``, which is 300.
    """

    def __init__(
        self,
        services: Mapping[str, str | Service],
        *,
        on_invalid: OnInvalid | None = None,
        run_seconds: float = 240.0,
    ) -> None:
        self._services = {name: _known(name, service) for name, service in services.items()}
        self._on_invalid = on_invalid
        self._run_seconds = run_seconds

    def tasks(self) -> NotificationTasks:
        """The task set with its handler, for a worker."""
        return NotificationTasks(push=self.push)

    async def push(self, push: Push, ctx: Context) -> Pushed:
        """Reach all that no earlier run has reached. Fails as long as some are not reached and may be tried again; and
        for good where nobody is reached, now or later."""
        labels = labels_of(push.to)
        targets = {label: self._target(label, named) for label, named in zip(labels, push.to, strict=True)}
        run = Run(ctx, seconds=self._run_seconds)
        order = await run.order(labels)
        reaching = [run.reach(label, partial(self._reach, push, targets[label], ctx)) for label in order]
        # All are tried before anything is raised: a group would cancel those that are on their way.
        outcomes = dict(zip(order, await asyncio.gather(*reaching, return_exceptions=True), strict=True))
        await run.end(order)
        told: dict[str, Outcome | DeliveryFailed] = {}
        for label in labels:
            outcome = outcomes[label]
            if isinstance(outcome, BaseException) and not isinstance(outcome, DeliveryFailed):
                raise outcome
            told[label] = outcome
        return await _summed_up(told, ctx)

    def _target(self, label: str, named: str | Device) -> Target:
        name = named.service if isinstance(named, Device) else named
        service = self._services.get(name)
        if service is None:
            raise Unrecoverable(
                f"no service has the name {name!r}; there are: {', '.join(sorted(self._services))}"
            )
        if service.takes_tokens is not isinstance(named, Device):
            raise Unrecoverable(
                f"{name!r} is reached {'by devices' if service.takes_tokens else 'by its name'}"
            )
        return Target(label, service, named)

    async def _reach(self, push: Push, target: Target, ctx: Context) -> Outcome:
        token = target.named.token if isinstance(target.named, Device) else None

        async def effect() -> Outcome:
            try:
                await target.service.send(push, target.label, token)
            except TokenInvalid as error:
                if self._on_invalid is not None:
                    await self._on_invalid(target.named)
                if token is None:  # not kept: who runs the worker may correct the service's URL
                    raise
                return Outcome(status="invalid", reason=error.reason)
            return Outcome(status="reached")

        try:
            key = effect_key("push", ctx, target.label, str(token))
            return await ctx.once(key, effect, keep=KEPT)
        except TokenInvalid as error:
            return Outcome(status="invalid", reason=error.reason)
        except DeliveryRefused as error:
            return Outcome(status="refused", reason=error.reason)


async def _summed_up(outcomes: Mapping[str, Outcome | DeliveryFailed], ctx: Context) -> Pushed:
    """The result; shown as progress too, since a job that fails has none."""
    pushed, failed = Pushed(), dict[str, DeliveryFailed]()
    for label, outcome in outcomes.items():
        if isinstance(outcome, DeliveryFailed):
            failed[label] = outcome
        elif outcome.status == "reached":
            pushed.reached.append(label)
        else:
            (pushed.invalid if outcome.status == "invalid" else pushed.refused)[label] = outcome.reason
    reasons = {label: error.reason for label, error in failed.items()}
    await ctx.progress({**pushed.model_dump(), "failed": reasons})
    if failed:
        asked = max(error.retry_after or 0 for error in failed.values())
        reason = "; ".join(sorted(set(reasons.values())))
        raise DeliveryFailed(", ".join(failed), reason, retry_after=asked or None)
    if not pushed.reached:
        told = (f"{label}: {reason}" for label, reason in (pushed.invalid | pushed.refused).items())
        raise Unrecoverable(f"nobody was reached: {'; '.join(told)}")
    return pushed


def _known(name: str, service: str | Service) -> Service:
    if not isinstance(service, str):
        return service
    try:
        return UrlService(service)
    except InvalidOption as error:
        raise InvalidOption(f"services[{name!r}]", error.value, error.reason) from None
