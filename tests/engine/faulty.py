"""Real servers in every state that the table of faults knows, one scene for each row."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corral.engine.faults import FAULTS, Unanswered
from corral.engine.link import Link
from corral.engine.server import Server
from corral.engine.settings import ServerSettings
from tests.engine.driver import Driver
from tests.servers import ServerProcess, free_port

Attempt = Callable[[], Awaitable[Any]]
Scene = Callable[["Stage"], Awaitable[Attempt]]
SCENES: list[tuple[str, str, Scene]] = []
"""The code of the row, what is shown, and the scene: it returns a call that must fail."""


@dataclass
class Stage:
    """What scenes are made of. All of it is taken down afterwards."""

    make_server: Callable[..., ServerProcess]
    folder: Path
    stack: AsyncExitStack

    async def link(self, url: str, *, timeout: float = 5.0, prefix: str = "p") -> Link:
        """A connection, not open yet."""
        return (await self.driver(url, timeout=timeout, prefix=prefix)).link

    async def driver(self, url: str, *, timeout: float = 5.0, prefix: str = "p") -> Driver:
        """A queue on a server."""
        engine = Server(ServerSettings(url, prefix, timeout))
        link = await engine.link()
        self.stack.push_async_callback(engine.close)
        self.stack.push_async_callback(link.close)
        return Driver(engine, link, engine.keys("q"))

    async def admin(self, server: ServerProcess) -> Link:
        """An open connection to a server of the stage."""
        link = await self.link(server.url)
        await link.call("PING")
        return link

    async def listener(
        self, answer: bytes, context: ssl.SSLContext | None = None, *, port: int = 0, again: bool = False
    ) -> int:
        """A port that answers everything with these bytes: once, or `again` and again."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.read(4096 if again else 1):
                writer.write(answer)
                if not again:
                    break
            writer.close()

        listening = await asyncio.start_server(serve, "127.0.0.1", port, ssl=context)
        self.stack.callback(listening.close)
        bound: int = listening.sockets[0].getsockname()[1]
        return bound

    def background(self, call: Awaitable[Any]) -> asyncio.Task[Any]:
        """A call that goes on while the scene does."""

        async def quietly() -> Any:
            try:
                return await call
            except Exception as error:
                return error

        task = asyncio.ensure_future(quietly())
        self.stack.callback(task.cancel)
        return task


def scene(code: str, shows: str) -> Callable[[Scene], Scene]:
    """Enter a scene into the list."""

    def enter(made: Scene) -> Scene:
        SCENES.append((code, shows, made))
        return made

    return enter


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask the server until it is so."""
    async with asyncio.timeout(30):
        while not await holds():
            pass


async def says(link: Link, section: str, text: str) -> bool:
    """Whether INFO says this."""
    return text in (await link.call("INFO", section)).decode()


@scene("CONNECTION", "nobody listens")
async def refused(stage: Stage) -> Attempt:
    """A port without a server."""
    driver = await stage.driver(f"redis://127.0.0.1:{free_port()}")
    return lambda: driver.add("a")


@scene("CONNECTION", "the server is killed")
async def killed(stage: Stage) -> Attempt:
    """A server that dies between two calls."""
    server = stage.make_server()
    driver = await stage.driver(server.url)
    await driver.add("a")
    server.kill9()
    return lambda: driver.add("b")


@scene("CONNECTION", "the host name does not exist")
async def nowhere(stage: Stage) -> Attempt:
    """A name that no resolver knows."""
    driver = await stage.driver("redis://corral.invalid:6379")
    return lambda: driver.add("a")


@scene("TIMEOUT", "the server hangs")
async def frozen(stage: Stage) -> Attempt:
    """A server that takes connections and answers nothing."""
    server = stage.make_server()
    driver = await stage.driver(server.url, timeout=1.0)
    await driver.add("a")
    server.freeze()
    stage.stack.callback(server.thaw)
    return lambda: driver.add("b")


@scene("LOADING", "the server reads its data")
async def loading(stage: Stage) -> Attempt:
    """A server that has just been started on a large file."""
    slow = ("--key-load-delay", "3000", "--loading-process-events-interval-bytes", "1024")
    server = stage.make_server(args=slow)
    admin = await stage.admin(server)
    await admin.call("EVAL", "for n = 1, 2000 do redis.call('SET', 'k' .. n, string.rep('x', 2000)) end", 0)
    await admin.call("SAVE")
    server.kill9()
    server.start(wait=False)
    driver = await stage.driver(server.url)

    async def is_loading() -> bool:
        await asyncio.sleep(0)
        return any("Loading RDB" in line for line in server.log)

    await until(is_loading)
    return lambda: driver.add("a")


@scene("BUSY", "another's script runs on and on")
async def busy(stage: Stage) -> Attempt:
    """A script that never ends, until it is killed."""
    server = stage.make_server(args=("--busy-reply-threshold", "50"))
    driver = await stage.driver(server.url)
    await driver.add("a")
    other, admin = await stage.admin(server), await stage.admin(server)
    stage.background(other.call("EVAL", "while true do end", 0))
    stage.stack.push_async_callback(admin.call, "SCRIPT", "KILL")

    async def is_busy() -> bool:
        try:
            await admin.call("PING")
        except Unanswered:
            return True
        return False

    await until(is_busy)
    return lambda: driver.add("b")


async def primary_and_replica(stage: Stage) -> tuple[ServerProcess, ServerProcess, Link]:
    """Two servers, one of which follows the other; and a connection to the second."""
    primary, replica = stage.make_server(args=("--repl-diskless-sync-delay", "0")), stage.make_server()
    link = await stage.admin(replica)
    await link.call("REPLICAOF", "127.0.0.1", primary.port)
    await until(lambda: says(link, "replication", "master_link_status:up"))
    return primary, replica, link


@scene("READONLY", "the URL names a replica")
async def replica(stage: Stage) -> Attempt:
    """A script that writes, sent to a replica."""
    _, second, _ = await primary_and_replica(stage)
    driver = await stage.driver(second.url)
    return lambda: driver.add("a")


@scene("MASTERDOWN", "the replica has lost its primary")
async def orphaned(stage: Stage) -> Attempt:
    """A replica that must not show old data, without its primary."""
    primary, second, link = await primary_and_replica(stage)
    await link.call("CONFIG", "SET", "replica-serve-stale-data", "no")
    primary.kill9()
    await until(lambda: says(link, "replication", "master_link_status:down"))
    reader = await stage.link(second.url)
    return lambda: reader.call("LLEN", "p:q:wait")


@scene("UNBLOCKED", "a sleeping worker's primary becomes a replica")
async def demoted(stage: Stage) -> Attempt:
    """A blocking wait on a server that is demoted meanwhile."""
    primary, server = stage.make_server(), stage.make_server()
    sleeper, admin = await stage.admin(server), await stage.admin(server)

    async def attempt() -> Any:
        wait = asyncio.ensure_future(sleeper.call("BZPOPMIN", "p:q:marker", 10))
        await until(lambda: says(admin, "clients", "blocked_clients:1"))
        await admin.call("REPLICAOF", "127.0.0.1", primary.port)
        return await wait

    return attempt


@scene("MAXCLIENTS", "the server has no free connection")
async def crowded(stage: Stage) -> Attempt:
    """One connection more than the server takes."""
    server = stage.make_server()
    admin = await stage.admin(server)
    await admin.call("CONFIG", "SET", "maxclients", 1)
    driver = await stage.driver(server.url)
    return lambda: driver.add("a")


@scene("MISCONF", "the server cannot save")
async def unsaved(stage: Stage) -> Attempt:
    """A server whose folder is gone, and which must not take what it cannot save."""
    server = stage.make_server(args=("--enable-protected-configs", "yes"))
    gone = stage.folder / "gone"
    gone.mkdir()
    admin = await stage.admin(server)
    await admin.call("CONFIG", "SET", "dir", str(gone), "save", "3600 1")
    await admin.call("SET", "x", 1)
    shutil.rmtree(gone)
    await admin.call("BGSAVE")
    await until(lambda: says(admin, "persistence", "rdb_last_bgsave_status:err"))
    driver = await stage.driver(server.url)
    return lambda: driver.add("a")


@scene("NOREPLICAS", "too few replicas are connected")
async def alone(stage: Stage) -> Attempt:
    """A primary that must have a replica."""
    server = stage.make_server(args=("--min-replicas-to-write", "1"))
    driver = await stage.driver(server.url)
    return lambda: driver.add("a")


@scene("OOM", "the server is full")
async def full(stage: Stage) -> Attempt:
    """Less memory than the server already uses."""
    server = stage.make_server()
    await (await stage.admin(server)).call("CONFIG", "SET", "maxmemory", 1)
    driver = await stage.driver(server.url)
    return lambda: driver.add("a")


@scene("WRONGPASS", "a wrong password")
async def wrong_password(stage: Stage) -> Attempt:
    """The right server, another password."""
    server = stage.make_server(password="right")
    driver = await stage.driver(server.url.replace("right", "s3cret"))
    return lambda: driver.add("a")


@scene("WRONGPASS", "a password for a server that has none")
async def needless_password(stage: Stage) -> Attempt:
    """A password where none is set."""
    server = stage.make_server()
    driver = await stage.driver(server.url.replace("//", "//:s3cret@"))
    return lambda: driver.add("a")


@scene("WRONGPASS", "an unknown user")
async def unknown_user(stage: Stage) -> Attempt:
    """A user that the server does not know."""
    server = stage.make_server()
    driver = await stage.driver(server.url.replace("//", "//nobody:s3cret@"))
    return lambda: driver.add("a")


@scene("NOAUTH", "no password")
async def no_password(stage: Stage) -> Attempt:
    """A server that wants one."""
    server = stage.make_server(password="right")
    driver = await stage.driver(server.url.replace(":right@", ""))
    return lambda: driver.add("a")


async def with_rights(stage: Stage, *rights: str) -> Driver:
    """A queue on a server, for a user with these rights."""
    server = stage.make_server()
    admin = await stage.admin(server)
    await admin.call("ACL", "SETUSER", "ann", "on", ">s3cret", *rights)
    return await stage.driver(server.url.replace("//", "//ann:s3cret@"))


@scene("NOPERM", "the user may not run scripts")
async def no_scripts(stage: Stage) -> Attempt:
    """A user without the command."""
    driver = await with_rights(stage, "~*", "+@all", "-evalsha", "-eval")
    return lambda: driver.add("a")


@scene("NOPERM", "the user may not use these keys")
async def no_keys(stage: Stage) -> Attempt:
    """A user for another prefix."""
    driver = await with_rights(stage, "~other:*", "+@all")
    return lambda: driver.add("a")


@scene("NOPERM", "the user may not do what a script does")
async def no_command_inside(stage: Stage) -> Attempt:
    """A command that only the script sends."""
    driver = await with_rights(stage, "~*", "+@all", "-xadd")
    return lambda: driver.add("a")


@scene("PROTOCOL", "the port speaks HTTP")
async def http(stage: Stage) -> Attempt:
    """A web server."""
    port = await stage.listener(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    driver = await stage.driver(f"redis://127.0.0.1:{port}")
    return lambda: driver.add("a")


@scene("URL", "the scheme is unknown")
async def wrong_scheme(stage: Stage) -> Attempt:
    """A URL of another kind."""
    return lambda: Server(ServerSettings("http://ann:s3cret@localhost")).link()


@scene("URL", "the password has a slash that is not encoded")
async def broken_url(stage: Stage) -> Attempt:
    """A URL that cannot be taken apart."""
    return lambda: Server(ServerSettings("redis://ann:s3cret/s3cret@localhost:6379/0")).link()


def certificate(folder: Path) -> ssl.SSLContext:
    """A certificate that nobody trusts, made with openssl."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    names = ["-subj", "/CN=localhost", "-days", "1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command, *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


@scene("TLS", "nobody trusts the certificate")
async def untrusted(stage: Stage) -> Attempt:
    """A certificate made by itself."""
    port = await stage.listener(b"+PONG\r\n", certificate(stage.folder))
    driver = await stage.driver(f"rediss://localhost:{port}")
    return lambda: driver.add("a")


@scene("TLS", "the port does not speak TLS")
async def plain(stage: Stage) -> Attempt:
    """TLS spoken to a port that answers in plain text."""
    port = await stage.listener(b"-ERR unknown command\r\n")
    driver = await stage.driver(f"rediss://localhost:{port}")
    return lambda: driver.add("a")


@scene("TIMEOUT", "a plain Redis server waits for the end of the TLS greeting")
async def plain_server(stage: Stage) -> Attempt:
    """TLS spoken to a plain server, which takes it for the beginning of a command."""
    server = stage.make_server()
    driver = await stage.driver(server.url.replace("redis://", "rediss://"), timeout=0.3)
    return lambda: driver.add("a")


def missing() -> set[str]:
    """Rows of the table that no scene shows."""
    return FAULTS.keys() - {code for code, _, _ in SCENES}
