#!lua flags=allow-oom
--- Store what a worker says of itself, and forget workers that have said nothing for long.
--- @key worker_records  hash  by instance: what each worker said last, JSON
--- @key worker_beats    zset  instances, by the time when they said it
--- @include lib/clock
--- @include lib/word
--- @arg now        string   milliseconds, or empty for the server's time
--- @arg instance   string   the worker
--- @arg record     string   JSON
--- @arg forget_ms  integer  how long a worker may say nothing until it is forgotten
--- @return how many were forgotten, at most 100 a call
--- BullMQ: none
local now_ms, now_text = clock(now)
local silent = redis.call('ZRANGEBYSCORE', worker_beats, '-inf', word(now_ms - forget_ms), 'LIMIT', 0, 100)
if #silent > 0 then
  redis.call('HDEL', worker_records, unpack(silent))
  redis.call('ZREM', worker_beats, unpack(silent))
end
redis.call('HSET', worker_records, instance, record)
redis.call('ZADD', worker_beats, now_text, instance)
redis.call('PEXPIRE', worker_records, forget_ms)
redis.call('PEXPIRE', worker_beats, forget_ms)
return #silent
