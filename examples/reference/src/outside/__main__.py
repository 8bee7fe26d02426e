"""`python -m outside`: mail on port 1025, payments and webhooks on 8090, until Ctrl-C."""

from __future__ import annotations

import asyncio
import os

from outside.mail import Mail, mail_server
from outside.partner import Call, partner


def _mail(mail: Mail) -> None:
    print(f"mail     {mail.subject!r} to {mail.recipient}\n{mail.text}", flush=True)


def _call(call: Call) -> None:
    print(f"{call.what:<8} {call.about}: answered {call.status} {call.body or ''}", flush=True)


async def _main(host: str) -> None:
    async with mail_server(host, 1025) as mails:
        with partner(host, 8090, bad_answers=1) as service:
            mails.told, service.told = _mail, _call
            print(f"mail on {host}:1025, payments and webhooks on {host}:8090", flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(os.environ.get("OUTSIDE_HOST", "127.0.0.1")))
