#!lua flags=allow-oom
--- Measure a queue for the minute that ended last, unless somebody has done so.
--- @key wait                    list    ready ids, next at the tail
--- @key paused                  list    ready ids of a paused queue (BullMQ 5)
--- @key active                  list    job ids that workers hold
--- @key completed               zset    completed ids by time
--- @key failed                  zset    failed ids by time
--- @key delayed                 zset    job ids by due time
--- @key prioritized             zset    job ids by priority, then arrival
--- @key waiting_children        zset    parents that wait for their children
--- @key metrics_completed       hash    how many completed
--- @key metrics_completed_data  list    how many completed, by the minute
--- @key metrics_failed          hash    how many failed
--- @key metrics_failed_data     list    how many failed, by the minute
--- @key sampled                 string  the minute that was measured last
--- @include lib/clock
--- @include lib/fields_of
--- @include lib/whole
--- @include lib/word
--- @arg prefix  string   what every key of the queue begins with
--- @arg now     string   milliseconds, or empty for the server's time
--- @arg most    integer  of how many of the jobs that ended in the minute to bring the times
--- @return nothing when that minute was measured; else now, the minute (ms), how many jobs are waiting, prioritized,
---         delayed, active, waiting for children, completed, failed; how many completed and how many failed in the minute;
---         and `timestamp`, `opts`, `ats`, `processedOn`, `finishedOn` of jobs that ended in it, and of those next in line
--- BullMQ: none
local now_ms = clock(now)
local minute = now_ms - now_ms % 60000 - 60000
if (tonumber(redis.call('GET', sampled)) or 0) >= minute then
  return {}
end
redis.call('SET', sampled, word(minute), 'PX', '180000')
local from, to = word(minute), '(' .. word(minute + 60000)

-- What the metrics say of the minute: its count is the running one until a later minute brings something.
local function counted(totals, minutes)
  local kept = redis.call('HMGET', totals, 'count', 'prevTS', 'prevCount')
  local since = whole(kept[2])
  local behind = since and math.floor(since / 60000) - minute / 60000 or -1
  if behind == 0 then
    return (whole(kept[1]) or 0) - (whole(kept[3]) or 0)
  end
  return behind > 0 and whole(redis.call('LINDEX', minutes, behind - 1) or '') or 0
end

-- Both may know of too few: the metrics, of those that workers without metrics ended; the set, of those trimmed.
local function ended(set, totals, minutes)
  return math.max(redis.call('ZCOUNT', set, from, to), counted(totals, minutes))
end

local function rows_of(ids)
  local rows = {}
  for at, id in ipairs(ids) do
    local kept = fields_of(prefix .. id, 'timestamp', 'opts', 'ats', 'processedOn', 'finishedOn')
    rows[at] = { kept[1] or '', string.sub(kept[2] or '', 1, 4096), kept[3] or '', kept[4] or '', kept[5] or '' }
  end
  return rows
end

local finished = redis.call('ZREVRANGEBYSCORE', completed, to, from, 'LIMIT', 0, most)
for _, id in ipairs(redis.call('ZREVRANGEBYSCORE', failed, to, from, 'LIMIT', 0, most - #finished)) do
  finished[#finished + 1] = id
end
local line = redis.call('ZRANGE', prioritized, 0, 0)
line[#line + 1] = redis.call('LINDEX', paused, -1) or nil
line[#line + 1] = redis.call('LINDEX', wait, -1) or nil
return {
  now_ms, minute,
  { redis.call('LLEN', wait) + redis.call('LLEN', paused), redis.call('ZCARD', prioritized),
    redis.call('ZCARD', delayed), redis.call('LLEN', active), redis.call('ZCARD', waiting_children),
    redis.call('ZCARD', completed), redis.call('ZCARD', failed) },
  ended(completed, metrics_completed, metrics_completed_data), ended(failed, metrics_failed, metrics_failed_data),
  rows_of(finished), rows_of(line),
}
