#!lua flags=no-writes
--- Look at a queue: how much is in it, whether it is paused, what has ended in it, and what is next in line.
--- @key wait               list  ready ids, next at the tail
--- @key paused             list  ready ids of a paused queue (BullMQ 5)
--- @key active             list  job ids that workers hold
--- @key completed          zset  completed ids by time
--- @key failed             zset  failed ids by time
--- @key delayed            zset  job ids by due time
--- @key prioritized        zset  job ids by priority, then arrival
--- @key waiting_children   zset  parents that wait for their children
--- @key meta               hash  the queue's settings
--- @key metrics_completed  hash  how many completed
--- @key metrics_failed     hash  how many failed
--- @include lib/clock
--- @include lib/fields_of
--- @include lib/whole
--- @arg prefix  string  what every key of the queue begins with
--- @arg now     string  milliseconds, or empty for the server's time
--- @return now; how many are waiting, prioritized, delayed, active, waiting for children, completed, failed; 1 when it
---         is paused; how many have completed and failed in all, as the metrics say; when the last of those in
---         `failed` did, or 0; and `timestamp` and `opts` of the jobs that are next in line
--- BullMQ: none
local now_ms = clock(now)
local line = redis.call('ZRANGE', prioritized, 0, 0)
line[#line + 1] = redis.call('LINDEX', paused, -1) or nil
line[#line + 1] = redis.call('LINDEX', wait, -1) or nil
for at, id in ipairs(line) do
  local kept = fields_of(prefix .. id, 'timestamp', 'opts')
  line[at] = { kept[1] or '', string.sub(kept[2] or '', 1, 4096) }
end
return {
  now_ms,
  { redis.call('LLEN', wait) + redis.call('LLEN', paused), redis.call('ZCARD', prioritized),
    redis.call('ZCARD', delayed), redis.call('LLEN', active), redis.call('ZCARD', waiting_children),
    redis.call('ZCARD', completed), redis.call('ZCARD', failed) },
  redis.call('HEXISTS', meta, 'paused'),
  whole(redis.call('HGET', metrics_completed, 'count')) or 0, whole(redis.call('HGET', metrics_failed, 'count')) or 0,
  redis.call('ZRANGE', failed, -1, -1, 'WITHSCORES')[2] or '0', line,
}
