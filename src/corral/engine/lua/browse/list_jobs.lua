#!lua flags=no-writes
--- Read a page of the jobs of one state: finished ones newest first, the others in the order in which they run.
--- @key wait              list  ready ids, next at the tail
--- @key paused            list  ready ids of a paused queue (BullMQ 5)
--- @key active            list  job ids that workers hold
--- @key completed         zset  completed ids by time
--- @key failed            zset  failed ids by time
--- @key delayed           zset  job ids by due time
--- @key prioritized       zset  job ids by priority, then arrival
--- @key waiting_children  zset  parents that wait for their children
--- @include lib/read_jobs
--- @arg prefix  string   what every key of the queue begins with
--- @arg state   string
--- @arg first   integer  where the page begins, from 0
--- @arg last    integer  and where it ends, that place included
--- @return the ids of the page, and the hashes of as many of them as one call reads: see `lib/read_jobs`
--- BullMQ: getRanges
local ids = {}

local function from_tail(list, from, to)
  local found = redis.call('LRANGE', list, -to - 1, -from - 1)
  for at = #found, 1, -1 do
    ids[#ids + 1] = found[at]
  end
end

if state == 'waiting' then
  -- What BullMQ 5 has parked waits longer, and runs first when the queue is resumed.
  local parked = redis.call('LLEN', paused)
  if first < parked then
    from_tail(paused, first, math.min(last, parked - 1))
  end
  if last >= parked then
    from_tail(wait, math.max(first - parked, 0), last - parked)
  end
elseif state == 'active' then
  from_tail(active, first, last)
elseif state == 'completed' or state == 'failed' then
  ids = redis.call('ZREVRANGE', state == 'completed' and completed or failed, first, last)
else
  local sets = { delayed = delayed, prioritized = prioritized, ['waiting-children'] = waiting_children }
  ids = redis.call('ZRANGE', sets[state], first, last)
end
return { ids, read_jobs(prefix, ids) }
