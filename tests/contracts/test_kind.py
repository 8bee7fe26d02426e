"""Where a job came from."""

from __future__ import annotations

import json

import pytest

from corral.contracts.job import Job
from corral.contracts.kind import JobKind
from corral.contracts.options import JobOptions
from corral.contracts.wire_options import decode_options, encode_options, with_cron_job


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, "adhoc"),
        ({"opts": "{}"}, "adhoc"),
        ({"rjk": "nightly"}, "cron"),
        ({"opts": '{"kind":"cronTrigger"}'}, "cronTrigger"),
        ({"rjk": "nightly", "opts": '{"kind":"cronTrigger"}'}, "cron"),
        ({"opts": '{"kind":"cron"}'}, "adhoc"),
        ({"opts": '{"kind":7}'}, "adhoc"),
        ({"opts": '{"kind":["cronTrigger"]}'}, "adhoc"),
        ({"opts": "not JSON"}, "adhoc"),
    ],
)
def test_a_job_says_where_it_came_from(fields: dict[str, str], kind: JobKind) -> None:
    """A schedule's jobs are `cron`, whoever made it; what was triggered by hand says so; all others are `adhoc`,
    whatever their options say."""
    assert Job.from_fields("q", "1", {"name": "n", "data": "{}", **fields}).kind == kind


def test_the_options_name_the_cron_job() -> None:
    """Beside the other options, under names that BullMQ does not use; read again as `cron_job`."""
    plain = encode_options(JobOptions())
    text = with_cron_job(plain, 'id "1"', "cronTrigger")
    assert json.loads(text) == {**json.loads(plain), "kind": "cronTrigger", "cronJob": 'id "1"'}
    assert decode_options(text).cron_job == 'id "1"'
    assert decode_options(plain).cron_job is None
    assert decode_options('{"cronJob":7}').cron_job is None
