"""`python -m examples.reference.demo`: see `make demo`."""

from __future__ import annotations

import argparse
import asyncio

from examples.reference.demo.program import run_demo


def _main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description="Show Corral at work.")
    parser.add_argument("--once", action="store_true", help="end with the table of what arrived where")
    return asyncio.run(run_demo(once=parser.parse_args().once))


if __name__ == "__main__":
    raise SystemExit(_main())
