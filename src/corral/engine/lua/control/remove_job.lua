#!lua flags=allow-oom
--- Remove one job that no worker holds.
---                       waiting | prioritized | delayed | waiting-children | completed | failed → nothing
--- @key completed         zset    completed ids by time
--- @key failed            zset    failed ids by time
--- @key delayed           zset    job ids by due time
--- @key prioritized       zset    job ids by priority, then arrival
--- @key waiting_children  zset    parents that wait for their children
--- @key wait              list    ready ids, next at the tail
--- @key paused            list    ready ids of a paused queue (BullMQ 5)
--- @key active            list    job ids that workers hold
--- @key repeat_           zset    schedules by next run
--- @key events            stream
--- @include lib/clock
--- @include lib/fields_of
--- @include lib/job_keys
--- @include lib/unlink_child
--- @include lib/read_queue
--- @include lib/pass_baton
--- @arg prefix  string  what every key of the queue begins with
--- @arg now     string  milliseconds, or empty for the server's time
--- @arg job_id  string
--- @event removed waiting delayed
--- @return 1 removed, 0 a worker holds it, -1 no job, -8 it is the next run of a schedule
--- BullMQ: removeJob
local job_key = prefix .. job_id
local kept = fields_of(job_key, 'rjk', 'parentKey', 'deid')
if redis.call('EXISTS', job_key) == 0 then
  return -1
end
if redis.call('EXISTS', job_key .. ':lock') == 1 then
  return 0
end
if kept[1] then
  local next_run = redis.call('ZSCORE', repeat_, kept[1])
  if next_run and job_id == 'repeat:' .. kept[1] .. ':' .. next_run then
    return -8
  end
end
if kept[2] then
  unlink_child(job_key, kept[2], clock(now))
end
local previous = 'unknown'
local sets = { { completed, 'completed' }, { waiting_children, 'waiting-children' }, { delayed, 'delayed' },
  { failed, 'failed' }, { prioritized, 'prioritized' } }
for _, set in ipairs(sets) do
  if previous == 'unknown' and redis.call('ZREM', set[1], job_id) == 1 then
    previous = set[2]
  end
end
for _, list in ipairs({ { wait, 'wait' }, { paused, 'paused' }, { active, 'active' } }) do
  if previous == 'unknown' and redis.call('LREM', list[1], 0, job_id) > 0 then
    previous = list[2]
  end
end
if kept[3] then
  if redis.call('GET', prefix .. 'de:' .. kept[3]) == job_id then
    redis.call('DEL', prefix .. 'de:' .. kept[3], prefix .. 'dn:' .. kept[3])
  end
end
redis.call('DEL', unpack(job_keys({}, job_key)))
redis.call('XADD', events, '*', 'event', 'removed', 'jobId', job_id, 'prev', previous)
if previous == 'active' then
  pass_baton(read_queue())
end
return 1
