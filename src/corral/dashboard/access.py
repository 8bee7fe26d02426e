"""Who may open the pages: by your own hook, by basic auth, from this machine, or nobody."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Final, NamedTuple

from starlette.requests import HTTPConnection

from corral.dashboard.local import is_local
from corral.http.access import Authenticate, Principal
from corral.logs.logger import get_logger
from corral.store.roles import Role

__all__ = ["Access", "Credentials", "credentials_in"]

USERNAME: Final = "BULL_BOARD_USERNAME"
PASSWORD: Final = "BULL_BOARD_PASSWORD"  # noqa: S105 - the name of a variable
DEVELOPER: Final = Principal("local", Role.ADMIN)
REMEDY: Final = (
    f"set {USERNAME} and {PASSWORD}, or give authenticate= when you mount it; with CORRAL_ENV=development corral serve "
    "is open on your own machine"
)


class Credentials(NamedTuple):
    """The one name and password of basic auth."""

    username: str
    password: str

    def match(self, authorization: str) -> bool:
        """Whether a header has them. Both are compared, in constant time, whether or not the first is right."""
        scheme, _, text = authorization.partition(" ")
        try:
            given = base64.b64decode(text, validate=True) if scheme.lower() == "basic" else b""
        except (binascii.Error, ValueError):
            given = b""
        username, _, password = given.partition(b":")
        same = hmac.compare_digest(username, self.username.encode())
        return hmac.compare_digest(password, self.password.encode()) and same


def credentials_in(environment: Mapping[str, str]) -> Credentials | None:
    """The credentials that the environment has: None unless both are there and neither is empty."""
    username, password = environment.get(USERNAME, ""), environment.get(PASSWORD, "")
    return Credentials(username, password) if username and password else None


class Access:
    """The table of who gets in. An own hook decides alone; credentials are asked for wherever somebody comes from;
    without either only a developer on this machine gets in, and only where the pages are not part of another
    application.

    Args:
        authenticate: the own hook.
        may_be_local: whether anybody can be local at all.
        environment: where credentials and `CORRAL_ENV` are read.
    """

    def __init__(
        self, authenticate: Authenticate | None, *, may_be_local: bool, environment: Mapping[str, str]
    ) -> None:
        self._authenticate = authenticate
        self._credentials = credentials_in(environment)
        self._may_be_local = may_be_local
        self._environment = environment
        self._warned = False
        if not self.asks and not may_be_local:
            self._warn()

    @property
    def asks(self) -> bool:
        """Whether there is something that strangers could show."""
        return self._authenticate is not None or self._credentials is not None

    @property
    def wants_password(self) -> bool:
        """Whether a browser should ask its user."""
        return self._authenticate is None and self._credentials is not None

    async def admit(self, connection: HTTPConnection) -> Principal | None:
        """Who that is; None for a stranger."""
        if self._authenticate is not None:
            return await self._authenticate(connection)
        if self._credentials is not None:
            known = self._credentials.match(connection.headers.get("authorization", ""))
            return Principal(self._credentials.username, Role.ADMIN) if known else None
        if self._may_be_local and is_local(connection.scope, self._environment):
            return DEVELOPER
        self._warn()
        return None

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            get_logger("dashboard").warning("The dashboard is disabled: it has no credentials", remedy=REMEDY)
