"""`python -m corral.cli`, which is `corral`."""

from __future__ import annotations

from corral.cli.main import app

if __name__ == "__main__":
    app()
