#!lua flags=allow-oom
--- Remove jobs of one place whatever they are, a bounded number a call; or schedules.
---              waiting | prioritized | delayed | active | waiting-children | completed | failed → nothing
--- @key wait              list  ready ids, next at the tail
--- @key paused            list  ready ids of a paused queue (BullMQ 5)
--- @key active            list  job ids that workers hold
--- @key prioritized       zset  job ids by priority, then arrival
--- @key delayed           zset  job ids by due time
--- @key completed         zset  completed ids by time
--- @key failed            zset  failed ids by time
--- @key waiting_children  zset  parents that wait for their children
--- @key repeat_           zset  schedules by next run
--- @include lib/clock
--- @include lib/erase_jobs
--- @include lib/in_chunks
--- @arg prefix  string   what every key of the queue begins with
--- @arg now     string   milliseconds, or empty for the server's time
--- @arg place   string   a name of those keys
--- @arg count   integer  how many to remove
--- @event waiting delayed
--- @return how many were removed: fewer than `count` when the place is empty now
--- BullMQ: obliterate
local now_ms = clock(now)
local list = ({ wait = wait, paused = paused, active = active })[place]
local set = ({ prioritized = prioritized, delayed = delayed, completed = completed, failed = failed,
  waiting_children = waiting_children, repeat_ = repeat_ })[place]
local ids
if list then
  ids = redis.call('RPOP', list, count) or {}
else
  ids = redis.call('ZRANGE', set, 0, count - 1)
  in_chunks('ZREM', set, ids)
end
if place == 'repeat_' then
  local definitions = {}
  for at, schedule_id in ipairs(ids) do
    definitions[at] = prefix .. 'repeat:' .. schedule_id
  end
  in_chunks('UNLINK', nil, definitions)
else
  erase_jobs(prefix, ids, now_ms, true)
end
return #ids
