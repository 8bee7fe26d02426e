"""Enqueue: a job comes into being. The rules are BullMQ's (wire format §§5-8, 12, 13)."""

from __future__ import annotations

from corral.engine.record import Verb
from tests.engine.driver import Driver, end, new_job

SCORE = 4096


async def test_the_hash_of_a_new_job(driver: Driver) -> None:
    """A new job's hash holds name, data, opts, timestamp, delay and priority, as BullMQ stores them."""
    await driver.add(new_job("a", name="mail", data='{"x":1}', opts='{"attempts":3}'))
    assert await driver.fields("a") == {
        "name": "mail",
        "data": '{"x":1}',
        "opts": '{"attempts":3}',
        "timestamp": str(driver.now),
        "delay": "0",
        "priority": "0",
    }


async def test_payload_bytes_are_kept(driver: Driver) -> None:
    """Data and options never pass through Lua's JSON: big numbers, floats and empty arrays stay as sent."""
    data = '{"n":9007199254740993,"f":0.1,"z":-0,"e":[],"big":1e308,"u":"\\u2028\u00e9"}'
    await driver.add(new_job("a", data=data, opts='{"attempts":9007199254740993,"x":[]}'))
    stored = await driver.fields("a")
    assert (stored["data"], stored["opts"]) == (data, '{"attempts":9007199254740993,"x":[]}')


async def test_standard_jobs_run_first_in_first_out(driver: Driver) -> None:
    """Jobs without delay and priority run in the order in which they were added, over calls and within one."""
    await driver.add("a", "b")
    await driver.add("c")
    assert await driver.waiting() == ["a", "b", "c"]


async def test_lifo_runs_next(driver: Driver) -> None:
    """A lifo job goes to the front of the line, in whatever place of a call it stands."""
    await driver.add("a", new_job("b", lifo=True), "c", new_job("d", lifo=True))
    assert await driver.waiting() == ["d", "b", "a", "c"]


async def test_priorities(driver: Driver) -> None:
    """Lower numbers run sooner, equals in the order of their arrival: score = priority · 2^32 + arrival."""
    await driver.add(new_job("a", priority=2), new_job("b", priority=1), new_job("c", priority=2))
    high = 1 << 32
    assert await driver.scores("prioritized") == {"b": high + 2, "a": 2 * high + 1, "c": 2 * high + 3}
    assert await driver.call("GET", driver.keys.key("pc")) == "3"


async def test_the_highest_priority_number_is_exact(driver: Driver) -> None:
    """Priority 2^21-1 still has a score below 2^53, which a double holds exactly."""
    top = (1 << 21) - 1
    await driver.add(new_job("a", priority=top), new_job("b", priority=top))
    assert await driver.scores("prioritized") == {"a": (top << 32) + 1, "b": (top << 32) + 2}


async def test_delayed_jobs_keep_their_order_within_a_millisecond(driver: Driver) -> None:
    """Score = due · 4096 + n: jobs due in one millisecond run in the order of their arrival."""
    due = driver.now + 1000
    await driver.add(new_job("b", delay=1000), new_job("a", delay=1000))
    await driver.add(new_job("0x", delay=1000), new_job("z", delay=999))
    assert await driver.scores("delayed") == {
        "z": (due - 1) * SCORE,
        "b": due * SCORE,
        "a": due * SCORE + 1,
        "0x": due * SCORE + 2,
    }


async def test_a_millisecond_has_4096_places(driver: Driver) -> None:
    """What is more goes to the millisecond after it, behind what is there: the order of arrival stays."""
    due = (driver.now + 1000) * SCORE
    await driver.call("ZADD", driver.keys.key("delayed"), due + SCORE - 1, "x", due + SCORE, "y")
    await driver.add(new_job("a", delay=1000), new_job("b", delay=1000), new_job("c", delay=999))
    scores = await driver.scores("delayed")
    assert (scores["a"], scores["b"], scores["c"]) == (due + SCORE + 1, due + SCORE + 2, due - SCORE)
    await driver.forget_events()
    await driver.add(new_job("d", delay=1000))
    assert await driver.events("delayed") == [
        {"event": "delayed", "jobId": "d", "delay": str(driver.now + 1000)}
    ]


async def test_due_wins_over_delay(driver: Driver) -> None:
    """A job for a fixed time is delayed by what is left on the server's clock; one for the past runs at once."""
    await driver.add(new_job("a", due=driver.now + 5000), new_job("b", due=driver.now - 5000))
    assert await driver.scores("delayed") == {"a": (driver.now + 5000) * SCORE}
    assert (await driver.fields("a"))["delay"] == "5000"
    assert await driver.waiting() == ["b"]


async def test_a_delayed_job_with_priority_waits_among_the_delayed(driver: Driver) -> None:
    """Delay comes before priority: the job is prioritized only when it is due."""
    await driver.add(new_job("a", delay=10, priority=3))
    assert list(await driver.scores("delayed")) == ["a"]
    assert await driver.scores("prioritized") == {}


async def test_events_of_adding(driver: Driver) -> None:
    """Each job is announced with `added`, then with where it went; `delayed` carries the absolute due time."""
    await driver.add("a", new_job("b", delay=7), new_job("c", priority=1))
    events = await driver.events()
    assert sorted(event["jobId"] for event in events if event["event"] == "added") == ["a", "b", "c"]
    assert [event for event in events if event["event"] != "added"] == [
        {"event": "waiting", "jobId": "a"},
        {"event": "delayed", "jobId": "b", "delay": str(driver.now + 7)},
        {"event": "waiting", "jobId": "c"},
    ]
    assert events[0] == {"event": "added", "jobId": "a", "name": "n"}


async def test_the_id_counter_counts_every_add(driver: Driver) -> None:
    """`id` grows with every add, duplicates included, so that Node's next number is never one in use."""
    await driver.add("a", new_job("own", own_id=True), new_job("own", own_id=True))
    assert await driver.call("GET", driver.keys.key("id")) == "3"


async def test_meta_of_a_new_queue(driver: Driver) -> None:
    """The first writer sets the length of the event stream, and names itself where no library has."""
    await driver.add("a")
    assert await driver.fields(driver.keys.key("meta")) == {"opts.maxLenEvents": "10000", "version": "corral"}


async def test_meta_of_another_library_stays(driver: Driver) -> None:
    """`meta.version` and the event limit of another client are not touched."""
    await driver.call("HSET", driver.keys.key("meta"), "version", "bullmq:6.7.0", "opts.maxLenEvents", 7)
    await driver.add("a")
    assert await driver.fields(driver.keys.key("meta")) == {
        "version": "bullmq:6.7.0",
        "opts.maxLenEvents": "7",
    }


async def test_the_event_stream_is_bounded(driver: Driver) -> None:
    """The event stream is cut near the length that meta names."""
    await driver.call("HSET", driver.keys.key("meta"), "opts.maxLenEvents", 100)
    for number in range(10):
        await driver.add(*(f"{number}-{at}" for at in range(50)))
    # Streams are cut by whole nodes of 100 entries.
    assert await driver.call("XLEN", driver.keys.key("events")) <= 300


class TestTheSameIdTwice:
    """A custom id is one job for as long as that job exists (§13)."""

    async def test_the_first_stays(self, driver: Driver) -> None:
        """The second add changes no byte of the job, says `duplicated`, and answers 1."""
        assert await driver.add(new_job("x", own_id=True, data='"first"')) == [0]
        before = await driver.fields("x")
        await driver.forget_events()
        driver.now += 1
        assert await driver.add(new_job("x", own_id=True, data='"second"', delay=5, priority=2)) == [1]
        assert await driver.fields("x") == before
        assert await driver.waiting() == ["x"]
        assert await driver.events() == [{"event": "duplicated", "jobId": "x"}]

    async def test_within_one_call(self, driver: Driver) -> None:
        """Two of one id in one call are one job, the first; the others of the call are added."""
        answers = await driver.add(new_job("x", own_id=True), "a", new_job("x", own_id=True), "b")
        assert answers == [0, 0, 1, 0]
        assert await driver.waiting() == ["x", "a", "b"]

    async def test_in_every_state(self, driver: Driver) -> None:
        """Active, delayed, completed and failed jobs hold their ids just as well."""
        jobs = [new_job(name, own_id=True) for name in ("runs", "done", "broke")]
        await driver.add(*jobs, new_job("later", own_id=True, delay=9))
        _, second, third = await driver.take(3)
        await driver.settle(end(second), end(third, Verb.FAIL, "no"))
        again = [*jobs, new_job("later", own_id=True)]
        assert await driver.add(*again) == [1, 1, 1, 1]
        assert await driver.waiting() == []

    async def test_free_when_the_job_is_gone(self, driver: Driver) -> None:
        """An id is free again when its job was removed at its end."""
        await driver.add(new_job("x", own_id=True))
        await driver.settle(end(await driver.take_one(), keep=0))
        assert await driver.add(new_job("x", own_id=True)) == [0]

    async def test_comes_before_deduplication(self, driver: Driver) -> None:
        """An id that exists ends the add before its deduplication id is looked at (§14)."""
        await driver.add(new_job("x", own_id=True))
        assert await driver.add(new_job("x", own_id=True, rule={"id": "d"})) == [1]
        assert await driver.call("EXISTS", driver.keys.base + "de:d") == 0


class TestMarker:
    """The token that wakes a sleeping worker (§9)."""

    async def test_ready_jobs_leave_it(self, driver: Driver) -> None:
        """A ready job, prioritized or not, leaves member 0 with score 0."""
        await driver.add("a")
        assert await driver.scores("marker") == {"0": 0}
        await driver.call("DEL", driver.keys.key("marker"))
        await driver.add(new_job("b", priority=1))
        assert await driver.scores("marker") == {"0": 0}

    async def test_delayed_jobs_leave_the_earliest_due_time(self, driver: Driver) -> None:
        """Member 1 has the due time of the earliest delayed job, whatever the order of adding."""
        await driver.add(new_job("a", delay=50))
        await driver.add(new_job("b", delay=20), new_job("c", delay=90))
        assert await driver.scores("marker") == {"1": driver.now + 20}

    async def test_paused_queues_wake_nobody(self, driver: Driver) -> None:
        """While the queue is paused no ready job leaves a token; a delayed one does."""
        await driver.call("HSET", driver.keys.key("meta"), "paused", 1)
        await driver.add("a", new_job("b", priority=1))
        assert await driver.scores("marker") == {}
        await driver.add(new_job("c", delay=5))
        assert await driver.scores("marker") == {"1": driver.now + 5}

    async def test_a_full_queue_wakes_nobody(self, driver: Driver) -> None:
        """While as many run as may run at once, no ready job leaves a token."""
        await driver.call("HSET", driver.keys.key("meta"), "concurrency", 1)
        await driver.add("a")
        await driver.take_one()
        await driver.call("DEL", driver.keys.key("marker"))
        await driver.add("b")
        assert await driver.scores("marker") == {}


class TestPausedByVersion:
    """Where new jobs of a paused queue go (§§19, 29)."""

    async def test_bullmq_6_and_corral_keep_wait(self, driver: Driver) -> None:
        """Ids stay in `wait` while the queue is paused."""
        await driver.call("HSET", driver.keys.key("meta"), "paused", 1, "version", "bullmq:6.0.0")
        await driver.add("a")
        assert await driver.waiting() == ["a"]

    async def test_bullmq_5_parks_in_paused(self, driver: Driver) -> None:
        """With a peer of version 5 ready ids go to `paused`, where its resume finds them; lifo at its tail."""
        await driver.call("HSET", driver.keys.key("meta"), "paused", 1, "version", "bullmq:5.81.3")
        await driver.add("a", "b", new_job("c", lifo=True), new_job("d", priority=1))
        assert await driver.call("LRANGE", driver.keys.key("paused"), 0, -1) == ["b", "a", "c"]
        assert await driver.waiting() == []
        assert list(await driver.scores("prioritized")) == ["d"]

    async def test_bullmq_5_that_runs_uses_wait(self, driver: Driver) -> None:
        """Not paused, a queue of version 5 is like any other."""
        await driver.call("HSET", driver.keys.key("meta"), "version", "bullmq:5.81.3")
        await driver.add("a")
        assert await driver.waiting() == ["a"]


class TestSentAgain:
    """A call whose reply was lost may be sent again."""

    async def test_the_same_answer_and_no_byte_changed(self, driver: Driver) -> None:
        """The second sending gives the same answers and changes nothing, whatever kinds of job it holds."""
        await driver.add(new_job("x", own_id=True), new_job("o", rule={"id": "d"}))
        jobs = [
            new_job("a"),
            new_job("b", delay=9),
            new_job("c", priority=1),
            new_job("x", own_id=True),
            new_job("p", rule={"id": "d"}),
            new_job("l", lifo=True),
        ]
        first = await driver.add(*jobs, sender="s", number=1)
        assert first == [0, 0, 0, 1, b"o", 0]
        before = await driver.bytes_of_all()
        driver.now += 5
        assert await driver.add(*jobs, sender="s", number=1) == first
        assert await driver.bytes_of_all() == before

    async def test_after_the_jobs_have_run(self, driver: Driver) -> None:
        """Even when the job has run and is gone, sending its add again adds nothing."""
        await driver.add("a", sender="s", number=1)
        await driver.settle(end(await driver.take_one(), keep=0))
        assert await driver.add("a", sender="s", number=1) == [0]
        assert await driver.waiting() == []

    async def test_the_next_number_is_a_new_call(self, driver: Driver) -> None:
        """Another number, or another sender, is another call."""
        await driver.add("a", sender="s", number=1)
        await driver.add("b", sender="s", number=2)
        await driver.add("c", sender="r", number=2)
        assert await driver.waiting() == ["a", "b", "c"]

    async def test_records_expire(self, driver: Driver) -> None:
        """The record of a sender's last call is Corral's own key, outside the queue's, and gone in ten minutes."""
        await driver.add("a", sender="s", number=1)
        own = f"{driver.keys.prefix}::corral:{driver.keys.queue}:sent:s"
        assert 0 < await driver.call("PTTL", own) <= 600_000
