"""Lines so long that no call may look through the whole of one."""

from __future__ import annotations

from tests.engine.driver import START, Driver

LENGTH = 110_000
FILL = """
for first = 0, tonumber(ARGV[2]) - 1, 5000 do
  local ids = {}
  for number = first, first + 4999 do
    ids[#ids + 1] = ARGV[1] .. number
    redis.call('HSET', KEYS[1] .. ARGV[1] .. number, 'name', 'n', 'timestamp', ARGV[3] + number)
  end
  redis.call('LPUSH', KEYS[1] .. 'wait', unpack(ids))
end
"""


async def fill(driver: Driver, letter: str = "j", length: int = LENGTH) -> None:
    """A long line of jobs, each a millisecond younger than the one before: `j0` runs next."""
    await driver.link.call("EVAL", FILL, 1, driver.keys.base, letter, length, START, timeout=60)
