"""One message to one place, over real HTTP, and what the answer means."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import parse_qs

import pytest

from corral import InvalidOption
from corral.tasks.errors import DeliveryError, DeliveryFailed, DeliveryRefused, TokenInvalid
from corral.tasks.notifications import Push, UrlService
from tests.tasks.webhooks.receiver import Receiver

PAID = Push(to=["ops"], title="Paid", body="<b>Order</b> 17", format="html")


def answer(status: int, *headers: str) -> bytes:
    """A whole answer."""
    return "\r\n".join([f"HTTP/1.1 {status} X", "Content-Length: 0", *headers, "", ""]).encode()


async def send(url: str, token: str | None = None, timeout: float = 30) -> None:
    """Send `PAID`."""
    await UrlService(url, timeout=timeout).send(PAID, "ops", token)


@pytest.mark.parametrize(
    ("scheme", "path", "wanted"),
    [
        ("json", "/hook", {"title": "Paid", "message": "<b>Order</b> 17"}),
        ("form", "/hook", {"title": "Paid", "message": "<b>Order</b> 17"}),
        ("ntfy", "/topic", {"topic": "topic", "title": "Paid", "message": "Order 17"}),
        ("gotify", "/secret", {"title": "Paid", "message": "Order 17"}),
    ],
)
async def test_a_message_arrives(receiver: Receiver, scheme: str, path: str, wanted: dict[str, str]) -> None:
    """Title and body, in what the service takes: HTML becomes text where it knows no HTML."""
    receiver.answers.append(answer(200))
    await send(f"{scheme}://127.0.0.1:{receiver.port}{path}")
    (request,) = receiver.requests
    text = request.body.decode()
    got = {key: said[0] for key, said in parse_qs(text).items()} if scheme == "form" else json.loads(text)
    assert {key: got[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    ("status", "named", "device"),
    [
        (401, TokenInvalid, DeliveryFailed),
        (403, TokenInvalid, DeliveryFailed),
        (404, TokenInvalid, TokenInvalid),
        (410, TokenInvalid, TokenInvalid),
        (400, DeliveryRefused, DeliveryRefused),
        (413, DeliveryRefused, DeliveryRefused),
        (429, DeliveryFailed, DeliveryFailed),
        (500, DeliveryFailed, DeliveryFailed),
        (503, DeliveryFailed, DeliveryFailed),
    ],
)
@pytest.mark.parametrize("scheme", ["json", "ntfy", "gotify"])
async def test_answers(
    receiver: Receiver, scheme: str, status: int, named: type[DeliveryError], device: type[DeliveryError]
) -> None:
    """A token that is not known is told from a message that is not taken, and from an outage. That the operator may
    not send to any device is no fault of the device."""
    for token, wanted in ((None, named), ("T-1_x", device)):
        receiver.answers.append(answer(status))
        with pytest.raises(wanted, match=f"answered {status}"):
            await send(f"{scheme}://127.0.0.1:{receiver.port}/{'{token}' if token else 'here'}", token)


async def test_statuses_of_a_service_of_its_own(receiver: Receiver) -> None:
    """Which statuses are about the token can be said."""
    receiver.answers.append(answer(418))
    service = UrlService(f"json://127.0.0.1:{receiver.port}/", invalid={418})
    with pytest.raises(TokenInvalid):
        await service.send(PAID, "ops", None)
    receiver.answers.append(answer(404))
    with pytest.raises(DeliveryFailed):
        await UrlService(f"json://127.0.0.1:{receiver.port}/", invalid=()).send(PAID, "ops", None)


async def test_a_code_of_a_service_of_its_own(receiver: Receiver) -> None:
    """ntfy answers with five digits, of which three are the status."""
    body = json.dumps({"code": 40301, "http": 403, "error": "forbidden"})
    receiver.answers.append(
        f"HTTP/1.1 403 X\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode(),
    )
    with pytest.raises(TokenInvalid, match="answered 403"):
        await send(f"ntfy://127.0.0.1:{receiver.port}/topic")


@pytest.mark.parametrize("path", ["/drip", "/silence", "/reset", "/garbage"])
async def test_no_answer_may_be_tried_again(receiver: Receiver, path: str) -> None:
    """One that drips, none at all, a connection that breaks, something that is not HTTP."""
    with pytest.raises(DeliveryFailed, match="no answer"):
        await send(f"json://127.0.0.1:{receiver.port}{path}", timeout=0.5)


async def test_a_service_that_never_answers_holds_up_no_other(receiver: Receiver) -> None:
    """Each has threads of its own. Those that it keeps are bounded: then its messages fail at once, and are not sent,
    so that another attempt sends none twice."""
    slow = UrlService(f"json://127.0.0.1:{receiver.port}/drip", timeout=0.3)

    async def outcome() -> str:
        with pytest.raises(DeliveryFailed) as told:
            await slow.send(PAID, "slow", None)
        return told.value.reason

    outcomes = [*await asyncio.gather(*(outcome() for _ in range(40))), await outcome()]
    unanswered = outcomes.count("no answer within 0.3 s")
    assert 8 <= unanswered <= 24
    assert unanswered + sum("earlier messages are still unanswered" in reason for reason in outcomes) == 41
    await asyncio.wait_for(send(f"json://127.0.0.1:{receiver.port}/pager"), 20)
    assert [request.path for request in receiver.requests].count("/drip") <= unanswered
    assert receiver.requests[-1].path == "/pager"


async def test_many_messages_take_turns(receiver: Receiver) -> None:
    """Their time begins when they are sent, and each answer is its own message's."""
    statuses = {"ada": 204, "bob": 404, "cleo": 413, "dan": 503}
    receiver.always |= {f"/{name}": answer(status) for name, status in statuses.items()}
    phones = UrlService(f"json://127.0.0.1:{receiver.port}/{{token}}")

    async def outcome(name: str) -> str:
        try:
            await phones.send(PAID, name, name)
        except (DeliveryFailed, DeliveryRefused, TokenInvalid) as error:
            return error.reason
        return "it answered 204"

    names = [*statuses] * 20
    outcomes = await asyncio.gather(*map(outcome, names))
    assert outcomes == [f"it answered {statuses[name]}" for name in names]


async def test_no_server() -> None:
    """Nobody is there."""
    with pytest.raises(DeliveryFailed, match="no answer"):
        await send("json://127.0.0.1:1/")


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    """Where messages go is what the operator said."""
    receiver.answers.append(answer(302, f"Location: {receiver.url('/other')}"))
    with pytest.raises(DeliveryFailed, match="answered 302"):
        await send(f"json://127.0.0.1:{receiver.port}/hook")
    assert len(receiver.requests) == 1


async def test_a_failure_is_none_the_less_one(receiver: Receiver) -> None:
    """Whatever a URL says of how much it matters."""
    receiver.answers.append(answer(500))
    with pytest.raises(DeliveryFailed):
        await send(f"json://127.0.0.1:{receiver.port}/hook?optional=yes")


async def test_a_token_goes_into_the_url(receiver: Receiver) -> None:
    """In the place that is kept for it."""
    await send(f"json://127.0.0.1:{receiver.port}/device/{{token}}/push", "dAb-1_2:APA91b.x=")
    assert (
        receiver.requests[0].path.replace("%3A", ":").replace("%3D", "=") == "/device/dAb-1_2:APA91b.x=/push"
    )


@pytest.mark.parametrize(
    "token", ["#all", "@me", "a/b", "../admin", "a?b=c", "a%2Fb", "a,b", "a b", "", "ü", "${HOME}"]
)
async def test_what_is_no_token_goes_nowhere(receiver: Receiver, token: str) -> None:
    """A topic instead of a device, another path, a second target: invalid without being asked."""
    with pytest.raises(TokenInvalid):
        await send(f"json://127.0.0.1:{receiver.port}/{{token}}", token)
    assert receiver.requests == []


async def test_what_the_service_itself_knows_to_be_no_token() -> None:
    """A telephone number of three letters is found before anything is sent."""
    with pytest.raises(TokenInvalid, match="of this service"):
        await send("twilio://AC12345678901234567890123456789012:hunter2@12025550100/{token}", "abc")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hunter2",
        "nonsense://hunter2",
        "tgram:/123456789:hunter2/{token}",
        "hunter2/{token}?to=json://localhost",
        "slack://hunter2",
        "json://localhost/hunter2?retry=2",
        "json://{token}/hunter2",
        "json://user:hunter2@{token}:80/",
        "fcm://project/hunter2/other?keyfile=x.json",
    ],
)
def test_a_bad_url(url: str) -> None:
    """No service's, one that lacks a part, one that tries again by itself, one whose host a job would choose, one for
    several places at once: told when it is made, without what may be secret in it."""
    with pytest.raises(InvalidOption) as refused:
        UrlService(url)
    assert "hunter2" not in str(refused.value)


def test_a_url_of_no_service_is_told_where_to_look() -> None:
    """A hundred services have URLs of their own: the list of them is the remedy."""
    with pytest.raises(InvalidOption, match=r"appriseit\.com/services"):
        UrlService("localhost:8080")
