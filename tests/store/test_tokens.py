"""Tokens: made, checked, revoked; and what the database does not hold."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from corral.errors import InvalidOption
from corral.store.database import Database
from corral.store.roles import Role
from corral.store.tokens import Tokens
from tests.store.conftest import Clock


@pytest.fixture
def tokens(database: Database, clock: Clock) -> Tokens:
    """Tokens by a clock that tests move."""
    return Tokens(database, clock=clock)


async def test_a_token_is_known_by_its_text(tokens: Tokens) -> None:
    """`create` gives the text, and `verify` of it the name and role; of two with one name each is its own."""
    first = await tokens.create("ci", "operator")
    second = await tokens.create("ci", Role.ADMIN)
    assert re.fullmatch(r"corral_[\w-]{43}", first)
    assert first != second
    known = await tokens.verify(first)
    assert known is not None
    assert (known.name, known.role) == ("ci", Role.OPERATOR)
    assert (await tokens.verify(second) or known).role is Role.ADMIN


async def test_the_text_is_not_in_the_database(tokens: Tokens, database: Database) -> None:
    """No column of the row holds the token, or the part of it behind the prefix."""
    secret = await tokens.create("ci", Role.ADMIN)
    async with database.reading() as session:
        (row,) = (await session.execute(text("SELECT * FROM corral_tokens"))).all()
    assert secret.removeprefix("corral_") not in str(row)


@pytest.mark.parametrize(
    "wrong",
    ["", "corral_", "corral_" + "x" * 43, "corral_" + "é" * 43, "corral_\0" + "x" * 42, "\ud800", None, 7],
)
async def test_what_is_no_token_is_nobody(tokens: Tokens, wrong: Any) -> None:
    """Any other text, and what is not even text: None, and no error."""
    await tokens.create("ci", Role.ADMIN)
    assert await tokens.verify(wrong) is None


async def test_a_changed_token_is_nobody(tokens: Tokens) -> None:
    """One letter of another case, a space behind it: not this token."""
    secret = await tokens.create("ci", Role.ADMIN)
    for wrong in (secret.swapcase(), secret + " ", secret[:-1], "Corral" + secret[6:]):
        assert await tokens.verify(wrong) is None


async def test_a_revoked_token_is_nobody(tokens: Tokens) -> None:
    """From the moment of `revoke`, which says whether there was something to revoke; the row stays listed."""
    secret = await tokens.create("ci", Role.ADMIN)
    known = await tokens.verify(secret)
    assert known is not None
    assert await tokens.revoke(known.id)
    assert await tokens.verify(secret) is None
    assert not await tokens.revoke(known.id)
    assert not await tokens.revoke("there is none")
    assert not await tokens.revoke("\0")
    assert [token.revoked_at is None for token in await tokens.list()] == [False]


async def test_a_token_expires(tokens: Tokens, clock: Clock) -> None:
    """Until `expires_at` it is a token, from then on none; a time that is past or has no zone is refused."""
    secret = await tokens.create("ci", Role.VIEWER, expires_at=clock.now + timedelta(hours=1))
    clock.forward(minutes=59)
    assert await tokens.verify(secret) is not None
    clock.forward(minutes=1)
    assert await tokens.verify(secret) is None
    for wrong in (clock.now, datetime(2030, 1, 1)):  # noqa: DTZ001
        with pytest.raises(InvalidOption, match="expires_at"):
            await tokens.create("ci", Role.VIEWER, expires_at=wrong)


async def test_use_is_noted_once_a_minute(tokens: Tokens, database: Database, clock: Clock) -> None:
    """A token that is shown with every call is written to once a minute, however many calls come at once."""
    secret = await tokens.create("ci", Role.VIEWER)
    writes: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE"):
            writes.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    first = clock.now
    assert await tokens.verify(secret) is not None
    for _ in range(5):
        assert await tokens.verify(secret) is not None
    assert len(writes) == 1
    clock.forward(seconds=59)
    await asyncio.gather(*(tokens.verify(secret) for _ in range(5)))
    assert [token.last_used_at for token in await tokens.list()] == [first]
    clock.forward(seconds=1)
    assert await tokens.verify(secret) is not None
    assert [token.last_used_at for token in await tokens.list()] == [clock.now]
    assert len(writes) == 2


@pytest.mark.parametrize("name", ["", " ", "a\0b", "x" * 201, "\ud800", None])
async def test_bad_names_are_refused(tokens: Tokens, name: Any) -> None:
    """`InvalidOption`, and no token."""
    with pytest.raises(InvalidOption, match="name"):
        await tokens.create(name, "admin")
    assert await tokens.list() == []


@pytest.mark.parametrize("role", ["root", "", None])
async def test_bad_roles_are_refused(tokens: Tokens, role: Any) -> None:
    """`InvalidOption`, which lists them, and no token."""
    with pytest.raises(InvalidOption, match="viewer, operator, admin"):
        await tokens.create("ci", role)
    assert await tokens.list() == []


async def test_tokens_are_listed_newest_first(tokens: Tokens, clock: Clock) -> None:
    """In pages, with what is stored of them."""
    for number in range(5):
        await tokens.create(f"t{number}", Role.VIEWER)
        clock.forward(seconds=1)
    assert [token.name for token in await tokens.list(limit=2)] == ["t4", "t3"]
    assert [token.name for token in await tokens.list(start=4)] == ["t0"]


async def test_whether_anybody_could_get_in(tokens: Tokens, clock: Clock, database: Database) -> None:
    """Tokens that are revoked or expired let nobody in, however many there are; one look at most tells."""
    assert not await tokens.any_valid()
    lasting = await tokens.create("first", Role.VIEWER)
    for _ in range(3):
        await tokens.create("later", Role.ADMIN, expires_at=clock.now + timedelta(days=1))
    clock.forward(days=1)
    assert await tokens.any_valid()
    known = await tokens.verify(lasting)
    assert known is not None
    await tokens.revoke(known.id)
    assert not await tokens.any_valid()


async def test_a_token_is_found_by_an_index(database: Database) -> None:
    """However many there are, a look-up takes one row."""
    async with database.reading() as session:
        asked = "SELECT id FROM corral_tokens WHERE hash = 'x'"
        if session.get_bind().dialect.name == "sqlite":
            plan = (await session.execute(text(f"EXPLAIN QUERY PLAN {asked}"))).all()
        else:
            await session.execute(text("SET LOCAL enable_seqscan = off"))
            plan = (await session.execute(text(f"EXPLAIN {asked}"))).all()
    assert "index" in str(plan).lower()
