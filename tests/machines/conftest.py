"""A cluster and a watched primary for the whole run: never hurt these."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.topologies import Cluster, Watched


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Three primaries without replicas."""
    with Cluster() as made:
        yield made


@pytest.fixture(scope="session")
def watched() -> Iterator[Watched]:
    """A primary, its replica, and three sentinels."""
    with Watched() as made:
        yield made


@pytest.fixture
def word() -> str:
    """A text of this test's own, for names."""
    return f"t{secrets.token_hex(5)}"
