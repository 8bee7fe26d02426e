"""Roles."""

from __future__ import annotations

from corral.store.roles import Role


def test_each_role_includes_those_before_it() -> None:
    """viewer < operator < admin, and each includes itself."""
    order = [Role.VIEWER, Role.OPERATOR, Role.ADMIN]
    assert list(Role) == order
    for rank, role in enumerate(order):
        assert [role.includes(other) for other in order] == [place <= rank for place in range(3)]
