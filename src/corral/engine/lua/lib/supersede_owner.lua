--- Let a new job take the place of the owner of its deduplication id. An owner that waits fails at once; where both are
--- ready and of one priority, the new job stands in its place, so that the newest of many comes to run, too. One that
--- runs is told, and so is one deep in a long line, which fails when its turn comes. One that has ended stays as it is.
--- Sets `job.placed` when the new job has its place.
--- @key delayed           zset  job ids by due time
--- @key prioritized       zset  job ids by priority, then arrival
--- @key waiting_children  zset  parents that wait for their children
--- @include lib/fail_at_once
--- @include lib/mark_cancelled
--- @include lib/search_line
--- @include lib/state_of
--- @include lib/take_waiting
local KIND = 'superseded'

--- Take an owner out of the line. True when that is done, nil when it may be deep in there.
local function leave_line(prefix, owner, id, job)
  local is_long = false
  for _, name in ipairs({ 'wait', 'paused' }) do
    local list = prefix .. name
    local length = redis.call('LLEN', list)
    local place = place_at_first_look(prefix, list, length, owner)
    if place and job.delay == 0 and job.priority == 0 and not job.front and not job.is_parent then
      redis.call('LSET', list, place, id)
      job.placed = true
    elseif place then
      close_gap(list, length, place, owner)
    end
    if place then
      return true
    end
    is_long = is_long or is_long_line(length)
  end
  return not is_long or nil
end

local function leave_prioritized(owner, id, job)
  local score = redis.call('ZSCORE', prioritized, owner)
  redis.call('ZREM', prioritized, owner)
  if job.delay == 0 and job.priority == math.floor(score / 4294967296) and not job.front and not job.is_parent then
    redis.call('ZADD', prioritized, score, id)
    job.placed = true
  end
end

local function supersede_owner(prefix, queue, owner, id, job, now)
  local owner_key, state = prefix .. owner, state_of(prefix, owner)
  local kind = redis.call('TYPE', owner_key)
  if (kind.ok or kind) ~= 'hash' or state == 'completed' or state == 'failed' then
    return
  end
  local reason = 'superseded by ' .. id
  if state == 'active' then
    cancel_run(owner_key, owner, KIND, reason)
    return
  end
  if state == 'delayed' then
    redis.call('ZREM', delayed, owner)
  elseif state == 'waiting-children' then
    redis.call('ZREM', waiting_children, owner)
  elseif state == 'prioritized' then
    leave_prioritized(owner, id, job)
  elseif not leave_line(prefix, owner, id, job) then
    mark_cancelled(owner_key, KIND, reason)
    return
  end
  fail_at_once(prefix, queue, owner, { kind = KIND, text = reason, previous = state }, now)
end
