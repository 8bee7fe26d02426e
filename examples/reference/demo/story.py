"""The story: the requests that people send to the shop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

from outside.partner import Partner

__all__ = ["ALAN", "LAST_NOTE", "PEOPLE", "RENAMED", "Sent", "Story"]

PEOPLE: Final = {"Ada": "ada@example.com", "Grace": "grace@example.com"}
ALAN: Final = "alan@example.com"
RENAMED: Final = 5
"""How often Ada changes the note of her order."""

LAST_NOTE: Final = f"version {RENAMED - 1} of the note"


@dataclass(frozen=True)
class Sent:
    """A request, with the thing that it made or changed, and the jobs that it brought about."""

    title: str
    id: str
    jobs: Sequence[tuple[str, str]]
    """Queue and id; the first is what the request is about."""


class Story:
    """Tells it to the API, as a person with a browser, and an operator with a token."""

    def __init__(self, api: httpx.AsyncClient, partner: Partner, operator: str) -> None:
        self._api = api
        self._partner = partner
        self._operator = {"Authorization": f"Bearer {operator}"}

    async def tell(self) -> AsyncIterator[Sent]:
        """Send all requests, and give what each of them brought about."""
        for name, email in PEOPLE.items():
            user = {"name": name, "email": email, "password": f"the password of {name}"}
            yield await self._accepted(f"{name} signs up", "POST", "/users", user)
        await self._log_in("Ada")
        await self._subscribe()
        yield await self._accepted("Ada invites Alan", "POST", "/invitations", {"email": ALAN})
        invited = await self._accepted("Ada clicks twice", "POST", "/invitations", {"email": ALAN})
        yield invited
        yield await self._accepted("Once more, please", "POST", f"/invitations/{invited.id}/resend")
        anvil = {"item": "anvil", "quantity": 2, "note": "for the coyote"}
        placed = await self._accepted("An order, on a bad day of the bank", "POST", "/orders", anvil)
        yield placed
        for number in range(RENAMED):
            note = {"note": f"version {number} of the note"}
            yield await self._accepted("Ada changes the note", "PATCH", f"/orders/{placed.id}", note)
        for title, order in (
            ("An order that is too expensive", {"item": "anvil", "quantity": 30}),
            ("An order of more than there is", {"item": "rope", "quantity": 5}),
        ):
            yield await self._accepted(title, "POST", "/orders", order)
        yield await self._trigger("An operator has sessions cleaned up", "expired-sessions")

    async def found(self, text: str) -> list[str]:
        """The ids of Ada's orders in which a text stands."""
        answer = await self._api.get("/orders", params={"q": text})
        return [order["id"] for order in answer.raise_for_status().json()]

    async def _log_in(self, name: str) -> None:
        user = {"email": PEOPLE[name], "password": f"the password of {name}"}
        answer = await self._api.post("/sessions", json=user)
        self._api.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['token']}"

    async def _subscribe(self) -> None:
        """The partner wants to hear of Ada's orders, and checks from here on whether it is we who tell it."""
        answer = await self._api.post("/webhooks", json={"url": f"{self._partner.url}/hooks"})
        self._partner.key = answer.raise_for_status().json()["public_key"]

    async def _accepted(self, title: str, method: str, path: str, body: Any = None) -> Sent:
        answer = await self._api.request(method, path, json=body)
        said = answer.raise_for_status().json()
        return Sent(title, said["id"], [(job["queue"], job["job_id"]) for job in said["jobs"]])

    async def _cron_job(self, job_id: str) -> str:
        """Its id, once the worker has begun."""
        while True:
            answer = await self._api.get("/api/admin/cronJob", headers=self._operator)
            for found in answer.raise_for_status().json()["items"]:
                if found["jobId"] == job_id:
                    return str(found["id"])
            await asyncio.sleep(0.2)

    async def _trigger(self, title: str, job_id: str) -> Sent:
        """Run a cron job now. The worker stores those that the program declares when it starts."""
        path = f"/api/admin/cronJob/{await self._cron_job(job_id)}/trigger"
        said = (await self._api.post(path, headers=self._operator)).raise_for_status().json()
        return Sent(title, job_id, [(said["queue"], said["id"])])
