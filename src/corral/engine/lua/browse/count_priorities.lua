#!lua flags=no-writes
--- Count the prioritized jobs of each priority, the lowest number first, for a bounded number of priorities a call.
--- @key prioritized  zset  job ids by priority, then arrival
--- @include lib/word
--- @arg after  integer  the priority behind which to begin, 0 at first
--- @arg most   integer  how many priorities to count
--- @return two numbers each: a priority, how many jobs have it; fewer than `most` of them when there are no more
--- BullMQ: getCountsPerPriority
local counts, priority = {}, after
for _ = 1, most do
  local first = redis.call('ZRANGEBYSCORE', prioritized, word((priority + 1) * 4294967296), '+inf', 'WITHSCORES',
    'LIMIT', 0, 1)
  if not first[2] then
    break
  end
  priority = math.floor(tonumber(first[2]) / 4294967296)
  counts[#counts + 1] = priority
  counts[#counts + 1] = redis.call('ZCOUNT', prioritized, word(priority * 4294967296),
    word((priority + 1) * 4294967296 - 1))
end
return counts
