#!lua flags=allow-oom
--- Remove jobs that ended some time ago, the oldest first, a bounded number a call.     completed | failed → nothing
--- @key completed  zset    completed ids by time
--- @key failed     zset    failed ids by time
--- @key events     stream
--- @include lib/clock
--- @include lib/sent
--- @include lib/in_chunks
--- @include lib/erase_jobs
--- @arg prefix   string   what every key of the queue begins with
--- @arg now      string   milliseconds, or empty for the server's time
--- @arg sender   string   who calls
--- @arg number   string   the sender's number of this call: a call sent again removes nothing more
--- @arg place    string   completed or failed
--- @arg age_ms   integer  how long ago they ended, at least
--- @arg most     integer  how many to remove at most
--- @event cleaned waiting delayed
--- @return how many were removed: fewer than `most` when no more are that old
--- BullMQ: cleanJobsInSet
local done = recall(sender, number)
if done then
  return done
end
local now_ms = clock(now)
local finished = place == 'completed' and completed or failed
local ids = redis.call('ZRANGEBYSCORE', finished, '-inf', now_ms - age_ms, 'LIMIT', 0, most)
if #ids > 0 then
  in_chunks('ZREM', finished, ids)
  erase_jobs(prefix, ids, now_ms, true)
  redis.call('XADD', events, '*', 'event', 'cleaned', 'count', #ids)
end
remember(sender, number, #ids)
return #ids
