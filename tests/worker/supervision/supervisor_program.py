"""A supervisor in a process of its own, to be killed: `supervisor_program.py PROCESSES COMMAND…`."""

import asyncio
import sys

from corral.worker.supervision.supervisor import Supervisor


async def main() -> int:
    """Supervise."""
    return await Supervisor(sys.argv[2:], int(sys.argv[1]), first_pause=0.01).run()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
