#!lua flags=no-writes
--- Say what time it is, and how many members of a sorted set have scores from `lowest` to `highest`, and how high the
--- highest of these is.
--- @key completed  zset  completed ids by time
--- @key failed     zset  failed ids by time
--- @key delayed    zset  job ids by due time
--- @include lib/clock
--- @arg now      string  milliseconds, or empty for the server's time
--- @arg state    string  completed, failed or delayed
--- @arg lowest   string
--- @arg highest  string  empty: now
--- @return now (ms), how many, and the highest score there is among them
--- BullMQ: none
local now_ms, now_text = clock(now)
local sets = { completed = completed, failed = failed, delayed = delayed }
local limit = highest == '' and now_text or highest
local last = redis.call('ZREVRANGEBYSCORE', sets[state], limit, lowest, 'WITHSCORES', 'LIMIT', 0, 1)
return { now_ms, redis.call('ZCOUNT', sets[state], lowest, limit), last[2] or limit }
