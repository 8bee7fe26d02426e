"""The files that the pages load: read once, named by what is in them, so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

__all__ = ["Assets"]

TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class Assets:
    """All files of the folder `assets`. A path is looked up in a table, never in a file system."""

    def __init__(self) -> None:
        folder = files("corral.dashboard").joinpath("assets")
        self._files = {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.is_file()}
        digest = hashlib.sha256()
        for name in sorted(self._files):
            digest.update(name.encode() + b"\0" + self._files[name])
        self.version = digest.hexdigest()[:12]
        """One for all, because modules import each other by their names."""

    async def serve(self, request: Request) -> Response:
        """One file, for ever as long as the version is today's."""
        content = self._files.get(request.path_params["name"])
        if content is None:
            return PlainTextResponse("there is no such file", 404)
        kind = TYPES[request.path_params["name"].rpartition(".")[2]]
        is_current = request.path_params["version"] == self.version
        keep = "public, max-age=31536000, immutable" if is_current else "no-cache"
        return Response(content, media_type=kind, headers={"Cache-Control": keep})
