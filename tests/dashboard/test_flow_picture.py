"""A flow as a picture."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from corral.contracts.family import FlowTree
from corral.contracts.job import Job
from corral.contracts.states import JobState
from corral.dashboard.flow_picture import draw_flow


def _job(job_id: str, name: str = "a", state: JobState = JobState.WAITING) -> Job:
    return Job(id=job_id, queue="q", name=name, data=None, state=state)


def _drawn(tree: FlowTree, here: Job) -> ET.Element:
    return ET.fromstring(draw_flow(tree, here, lambda job: f"/queues/{job.queue}/jobs/{job.id}"))


def test_each_job_is_a_link_and_none_covers_another() -> None:
    """Boxes do not overlap, each leads to its job, and the one whose page it is is marked."""
    here = _job("root")
    tree = FlowTree(
        here,
        (FlowTree(_job("1"), (FlowTree(_job("1.1")), FlowTree(_job("1.2")))), FlowTree(_job("2"))),
        more=7,
    )
    svg = _drawn(tree, here)
    links = svg.findall("a")
    assert [link.get("href") for link in links] == [
        f"/queues/q/jobs/{job_id}" for job_id in ("root", "1", "1.1", "1.2", "2")
    ]
    assert [link.get("aria-current") for link in links] == ["true", None, None, None, None]
    boxes = [box for box in svg.iter("rect") if box.get("class") == "job"]
    places = {(box.get("x"), box.get("y")) for box in boxes}
    assert len(places) == len(boxes) == 5
    assert svg.get("aria-label") == "flow of 5 jobs, and 7 that are not shown"
    assert "7 more" in "".join(svg.itertext())


def test_hostile_names_are_text() -> None:
    """Names, ids and queues are text in it, cut where they do not fit, and whole in the title."""
    hostile = '"/><script>alert(1)</script>' + "x" * 500
    svg = _drawn(FlowTree(_job(hostile, hostile)), _job("other"))
    assert svg.findall(".//script") == []
    title = svg.find("a/title")
    assert title is not None
    assert title.text is not None
    assert hostile in title.text
    assert max(len(text.text or "") for text in svg.iter("text")) <= 40
    assert re.search("<script", ET.tostring(svg, encoding="unicode")) is None
