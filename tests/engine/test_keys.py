"""Keys: BullMQ's layout, and Corral's own keys beside it where nothing of Node's looks (wire format §§1, 33)."""

from __future__ import annotations

import pytest

from corral.engine.keys import OWN_SUFFIXES, SUFFIXES, QueueKeys
from corral.engine.script import load, script_names
from corral.errors import InvalidQueueName


def test_the_layout() -> None:
    """A key is prefix, queue and suffix; a job's hash is prefix, queue and id."""
    keys = QueueKeys("bull", "mail")
    assert keys.base == "bull:mail:"
    assert keys.key("wait") == "bull:mail:wait"
    assert keys.key("waiting_children") == "bull:mail:waiting-children"
    assert keys.key("metrics_failed_data") == "bull:mail:metrics:failed:data"
    assert keys.job("repeat:x:5") == "bull:mail:repeat:x:5"


def test_own_keys_stand_apart() -> None:
    """Corral's own keys have an empty queue name, as BullMQ's relay has: no scan for jobs finds them."""
    keys = QueueKeys("bull", "mail")
    for name in OWN_SUFFIXES:
        assert keys.key(name).startswith("bull::corral:mail:")


def test_every_key_of_a_script_is_known() -> None:
    """Whatever a script's header names, the layout has."""
    for name in script_names():
        assert set(load(name).keys) <= SUFFIXES.keys() | OWN_SUFFIXES.keys()


def test_hash_tags_keep_a_queue_together() -> None:
    """With a tag in the prefix or the queue name every key of the queue, Corral's own too, has the same tag."""
    for keys in (QueueKeys("{bull}", "mail"), QueueKeys("bull", "{mail}")):
        tags = {key[key.index("{") : key.index("}")] for key in map(keys.key, [*SUFFIXES, *OWN_SUFFIXES])}
        assert len(tags) == 1


@pytest.mark.parametrize("name", ["", "a:b", "a\nb", "a{b", "x" * 201])
def test_names_that_would_break_keys(name: str) -> None:
    """A queue name that could be taken apart wrongly is refused before any key is made of it."""
    with pytest.raises(InvalidQueueName):
        QueueKeys("bull", name)


def test_several_at_once() -> None:
    """The keys of a script are made once."""
    keys = QueueKeys("p", "q")
    names = ("wait", "sent")
    assert keys.all(names) == ("p:q:wait", "p::corral:q:sent:")
    assert keys.all(names) is keys.all(names)
