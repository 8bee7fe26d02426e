"""Where the link of an invitation leads: a page with a form. The page alone accepts nothing, for programs that look
through mails follow links too."""

from __future__ import annotations

from html import escape
from typing import Annotated, Final

from fastapi import APIRouter, Form, status
from fastapi.responses import HTMLResponse

from shop.api.dependencies import Reading, TheParts
from shop.api.texts import Text
from shop.api.users import Joining
from shop.services import invitations, passwords

__all__ = ["router"]

router = APIRouter(prefix="/invitations", tags=["invitations"], default_response_class=HTMLResponse)

FORM: Final = """<p>Join with the address {email}.</p>
<form method="post">
<p><label>Name <input name="name" required maxlength="100" autocomplete="name"></label>
<p><label>Password, ten characters or more
<input name="password" type="password" required minlength="10" maxlength="200" autocomplete="new-password"></label>
<p><button>Join</button>
</form>"""

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
"""The address of the page is a secret: it is neither kept nor passed on."""


@router.get("/{token}")
async def look(token: Text, database: Reading) -> HTMLResponse:
    """The page."""
    invitation = await invitations.find(database, token)
    return _page("You are invited", FORM.format(email=escape(invitation.email)))


@router.post("/{token}", status_code=status.HTTP_201_CREATED)
async def join(token: Text, joining: Annotated[Joining, Form()], parts: TheParts) -> HTMLResponse:
    """What the form sends: become a user. Only for an invitation that there is the password is worth its time."""
    async with parts.database.reading() as database:
        await invitations.find(database, token)
    password = await passwords.hashed(joining.password)
    async with parts.database.writing() as database:
        user = await invitations.accept(database, token, name=joining.name, password=password)
    return _page("Welcome", f"<p>{escape(user.name)}, you can log in now.</p>", status.HTTP_201_CREATED)


def _page(title: str, content: str, code: int = status.HTTP_200_OK) -> HTMLResponse:
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>{content}'
    return HTMLResponse(page, code, HEADERS)
