"""The shell completes the names of queues."""

from __future__ import annotations

import pytest

from corral import SyncClient
from corral.cli.completion import queue_names
from tests.cli.conftest import Command
from tests.servers import free_port


def test_names_from_the_server(command: Command, client: SyncClient, queue_name: str) -> None:
    """Queues that begin as what is typed are offered, and no others."""
    client.queue(queue_name).enqueue("a", 1)
    assert queue_names(None, queue_name[:3]) == [queue_name]
    assert queue_names(None, "no-such") == []


def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an answer nothing is offered, and nothing is raised at the prompt."""
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{free_port()}")
    assert queue_names(None, "") == []


def test_the_shell_asks(command: Command, client: SyncClient, queue_name: str) -> None:
    """What `corral --install-completion` puts into the shell gets the names as bash wants them."""
    client.queue(queue_name).enqueue("a", 1)
    words = {"COMP_WORDS": "corral queue show ", "COMP_CWORD": "3", "_CORRAL_COMPLETE": "complete_bash"}
    assert queue_name in command(env=words, prog_name="corral").stdout.split()
