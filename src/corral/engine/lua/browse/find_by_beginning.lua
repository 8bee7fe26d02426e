#!lua flags=no-writes
--- Find the jobs whose ids are one of some beginnings and, behind it, a text without a colon: among the finished ones
--- of late, and among those that run or wait, the first in line; so many of each state, however long the queue is.
--- @key wait              list  ready ids, next at the tail
--- @key active            list  job ids that workers hold
--- @key completed         zset  completed ids by time
--- @key failed            zset  failed ids by time
--- @key delayed           zset  job ids by due time
--- @key prioritized       zset  job ids by priority, then arrival
--- @key waiting_children  zset  parents that wait for their children
--- @include lib/word
--- @arg depth   integer  how many of each state to look at
--- @rest first  the beginnings
--- @return the time (ms) behind which all finished jobs were looked at ('': all that are kept), then of each job that
---         was found its id, its state and, if it is finished, when that was ('' otherwise)
--- BullMQ: none
local reply, since = { '' }, nil

local function begins(job_id)
  for at = first, #ARGV do
    local length = #ARGV[at]
    if string.sub(job_id, 1, length) == ARGV[at] and not string.find(job_id, ':', length + 1, true) then
      return true
    end
  end
  return false
end

local function note(job_id, state, time)
  if begins(job_id) then
    reply[#reply + 1] = job_id
    reply[#reply + 1] = state
    reply[#reply + 1] = time
  end
end

local function look(state, ids)
  for at = 1, #ids do
    note(ids[at], state, '')
  end
end

look('active', redis.call('LRANGE', active, -depth, -1))
look('waiting', redis.call('LRANGE', wait, -depth, -1))
look('prioritized', redis.call('ZRANGE', prioritized, 0, depth - 1))
look('delayed', redis.call('ZRANGE', delayed, 0, depth - 1))
look('waiting-children', redis.call('ZRANGE', waiting_children, 0, depth - 1))
for state, set in pairs({ completed = completed, failed = failed }) do
  local flat = redis.call('ZREVRANGE', set, 0, depth - 1, 'WITHSCORES')
  for at = 1, #flat, 2 do
    note(flat[at], state, flat[at + 1])
  end
  if #flat == 2 * depth and redis.call('ZCARD', set) > depth then
    since = math.max(since or 0, tonumber(flat[#flat]))
  end
end
if since then
  reply[1] = word(since)
end
return reply
