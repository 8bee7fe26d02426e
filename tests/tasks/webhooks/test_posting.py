"""One delivery: bounded in time and size whatever the receiver does, and to an address that was looked at."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from ipaddress import ip_address
from pathlib import Path

import pytest

from corral.tasks.errors import DeliveryFailed, TargetRefused
from corral.tasks.webhooks import Egress, Poster, Webhooks
from corral.tasks.webhooks.egress import Address
from tests.machines.test_tls import Certificates
from tests.tasks.webhooks.conftest import HERE
from tests.tasks.webhooks.receiver import Receiver, receiving


async def test_the_body_arrives_as_it_is(receiver: Receiver, poster: Poster) -> None:
    """Byte by byte, with its length, its type, and the headers that were given."""
    answer = await poster.post(HERE.target(receiver.url("/hook?a=1")), b'{"n": 1}\n', {"X-One": "1"})
    (got,) = receiver.requests
    assert (answer.status, answer.is_success, got.path, got.body) == (204, True, "/hook?a=1", b'{"n": 1}\n')
    assert got.headers["x-one"] == "1"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize("path", ["/drip", "/silence"])
async def test_slow_receivers_are_left(receiver: Receiver, poster: Poster, path: str) -> None:
    """All of a delivery has one time limit, however steadily something arrives."""
    began = time.monotonic()
    with pytest.raises(DeliveryFailed, match="no answer within 1 s"):
        await poster.post(HERE.target(receiver.url(path)), b"{}", {})
    assert time.monotonic() - began < 3
    await asyncio.wait_for(receiver.closed.wait(), 5)


async def test_little_of_an_answer_is_read(receiver: Receiver, poster: Poster) -> None:
    """Of a body without an end the head is kept, and then the connection is closed."""
    answer = await poster.post(HERE.target(receiver.url("/flood")), b"{}", {})
    assert (answer.status, len(answer.head)) == (200, 2048)
    await asyncio.wait_for(receiver.closed.wait(), 5)


@pytest.mark.parametrize("path", ["/reset", "/garbage", "/headers"])
async def test_broken_answers_are_failures(receiver: Receiver, poster: Poster, path: str) -> None:
    """A reset, something that is not HTTP, headers without an end: no answer, and an error that says so."""
    with pytest.raises(DeliveryFailed) as failed:
        await poster.post(HERE.target(receiver.url(path)), b"{}", {})
    assert failed.value.status is None
    assert failed.value.reason


async def test_redirects_are_not_followed(receiver: Receiver, poster: Poster) -> None:
    """A 3xx is the answer, and no success."""
    receiver.answers = [
        f"HTTP/1.1 307 Go\r\nLocation: {receiver.url('/elsewhere')}\r\nContent-Length: 0\r\n\r\n".encode()
    ]
    answer = await poster.post(HERE.target(receiver.url()), b"{}", {})
    assert (answer.status, answer.is_success, len(receiver.requests)) == (307, False, 1)


async def test_packed_answers_stay_packed(receiver: Receiver, poster: Poster) -> None:
    """No answer is unpacked: a few bytes cannot become a gigabyte."""
    receiver.answers = [
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"
    ]
    assert (await poster.post(HERE.target(receiver.url()), b"{}", {})).head == b"\x1f\x8b\x08\x00"


async def test_nobody_listens(poster: Poster) -> None:
    """A refused connection and a name that does not exist are failures that say so."""
    async with receiving() as gone:
        pass
    with pytest.raises(DeliveryFailed):
        await poster.post(HERE.target(gone.url()), b"{}", {})

    async def unknown(host: str, port: int) -> list[Address]:
        raise OSError(-2, "Name or service not known")

    async with Poster(HERE, resolve=unknown) as lost:
        with pytest.raises(DeliveryFailed, match="Name or service not known"):
            await lost.post(HERE.target("http://nowhere.invalid/"), b"{}", {})


async def test_a_dead_address_leaves_time_for_the_next(receiver: Receiver) -> None:
    """Of several checked addresses one that does not answer takes its share of the time, and the next is tried."""
    with socket.create_server(("127.0.0.2", receiver.port), backlog=0) as dead:
        waiting = [
            socket.socket() for _ in range(4)
        ]  # what fills its queue: further connections are let wait
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(dead.getsockname())

        async def both(host: str, port: int) -> list[Address]:
            return [ip_address("127.0.0.2"), ip_address("127.0.0.1")]

        async with Poster(HERE, timeout=3, resolve=both) as poster:
            answer = await poster.post(HERE.target(f"http://two.example:{receiver.port}/"), b"{}", {})
            assert answer.status == 204
            assert answer.seconds >= 0.9
        for one in waiting:
            one.close()


def test_nothing_is_made_before_a_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that only enqueues reads no certificates and starts no thread."""
    monkeypatch.setattr(ssl, "create_default_context", None)
    threads = threading.active_count()
    Poster()
    Webhooks()
    assert threading.active_count() == threads


async def test_it_can_be_used_after_it_was_closed(receiver: Receiver, poster: Poster) -> None:
    """What is closed is opened again by the next delivery."""
    for _ in range(2):
        assert (await poster.post(HERE.target(receiver.url()), b"{}", {})).status == 204
        await poster.close()


async def test_whoever_shares_it_leaves_it_open_for_the_others(receiver: Receiver) -> None:
    """One of two workers that share webhooks stops: what deliveries of the other use stays, until that one stops."""
    before = set(threading.enumerate())
    poster = Poster(HERE)
    webhooks = Webhooks(poster=poster)
    async with webhooks:
        async with webhooks:
            assert (await poster.post(HERE.target(receiver.url()), b"{}", {})).status == 204
            (made,) = [
                one for one in set(threading.enumerate()) - before if one.name.startswith("corral-resolver")
            ]
        await asyncio.to_thread(made.join, 0.5)
        assert made.is_alive()
    await asyncio.to_thread(made.join, 10)
    assert not made.is_alive()


async def test_a_name_is_resolved_once(receiver: Receiver) -> None:
    """A resolver that answers with a public address first and with a private one later gains nothing."""
    asked: list[str] = []

    async def changing(host: str, port: int) -> list[Address]:
        asked.append(host)
        return [ip_address("127.0.0.1")] if len(asked) == 1 else [ip_address("10.0.0.1")]

    async with Poster(HERE, timeout=1, resolve=changing) as poster:
        target = HERE.target(f"http://rebound.example:{receiver.port}/hook")
        assert (await poster.post(target, b"{}", {})).status == 204
        assert asked == ["rebound.example"]
        assert receiver.requests[0].headers["host"] == f"rebound.example:{receiver.port}"
        with pytest.raises(TargetRefused, match="not public"):
            await poster.post(target, b"{}", {})
    assert len(receiver.requests) == 1


async def test_a_name_that_leads_inside_is_not_dialled(receiver: Receiver) -> None:
    """`localhost`, and a name with one good and one bad address: nothing is sent, and no address is told."""

    async def mixed(host: str, port: int) -> list[Address]:
        return [ip_address("1.1.1.1"), ip_address("127.0.0.1")]

    egress = Egress(schemes=frozenset({"http"}), ports=frozenset())
    async with Poster(egress) as system, Poster(egress, resolve=mixed) as other:
        for poster, host in ((system, "localhost"), (other, "mixed.example")):
            with pytest.raises(TargetRefused) as refused:
                await poster.post(egress.target(f"http://{host}:{receiver.port}/"), b"{}", {})
            assert "127" not in str(refused.value).replace(host, "")
    assert receiver.requests == []


async def test_no_proxy_of_the_environment(
    receiver: Receiver, poster: Poster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that the environment names is not asked: it would resolve the name once more."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await poster.post(HERE.target(receiver.url()), b"{}", {})).status == 204


async def test_tls_keeps_to_the_name(tmp_path: Path) -> None:
    """The certificate is checked against the name in the URL, not against the address that is dialled."""
    made = Certificates(tmp_path)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    trusting = ssl.create_default_context(cafile=made.ca)

    async def here(host: str, port: int) -> list[Address]:
        return [ip_address("127.0.0.1")]

    async with receiving(served) as receiver, Poster(HERE, ssl_context=trusting, resolve=here) as poster:
        assert (await poster.post(HERE.target(receiver.url()), b"{}", {})).status == 204
        with pytest.raises(DeliveryFailed, match="certificate"):
            await poster.post(HERE.target(f"https://other.example:{receiver.port}/"), b"{}", {})
        async with Poster(HERE, resolve=here) as wary:
            with pytest.raises(DeliveryFailed, match="certificate"):
                await wary.post(HERE.target(receiver.url()), b"{}", {})
    assert len(receiver.requests) == 1
