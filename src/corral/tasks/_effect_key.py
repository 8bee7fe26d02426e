"""Names of effects that belong to one job, whoever has its id after it."""

from __future__ import annotations

from hashlib import sha256

from corral.contracts.context import RunFacts

__all__ = ["effect_key"]


def effect_key(kind: str, ctx: RunFacts, *words: str) -> str:
    """What `ctx.once` keeps an effect of this job under: the same in all of its runs. A hash, for ``words`` may be
    secret."""
    return f"{kind}:{sha256(chr(10).join([ctx.job_id, str(ctx.timestamp), *words]).encode()).hexdigest()}"
