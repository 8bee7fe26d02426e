--- Put a job among the prioritized ones: behind its equals, or before them (`front`).
--- @key prioritized  zset    job ids by priority, then arrival
--- @key pc           string  arrivals so far
--- @include lib/word
local function prioritize_job(id, priority, front)
  local arrival = 0
  if not front then
    arrival = redis.call('INCR', pc) % 4294967296
  end
  redis.call('ZADD', prioritized, word(priority * 4294967296 + arrival), id)
end
