--- What a child's end does to its parent. Parents and children may live in different queues, so the keys are made
--- from the child's record: `parent_key` is `<prefix>:<queue>:<id>`. A parent is released also where a key that keeps what
--- its children brought is damaged.
--- @include lib/cancellation_of
--- @include lib/fields_of
--- @include lib/is_of_v5
--- @include lib/priority_of
--- @include lib/split_key
--- @include lib/whole
local function release_parent(parent_key, now)
  local base, parent_id = split_key(parent_key)
  local settings = redis.call('HMGET', base .. 'meta', 'paused', 'concurrency', 'version', 'corral.peers')
  local kept = fields_of(parent_key, 'delay', 'priority')
  local delay, priority = whole(kept[1]) or 0, priority_of(kept[2])
  if delay > 0 then
    local due = now + delay
    redis.call('ZADD', base .. 'delayed', due * 4096, parent_id)
    redis.call('XADD', base .. 'events', '*', 'event', 'delayed', 'jobId', parent_id, 'delay', due)
    local first = redis.call('ZRANGE', base .. 'delayed', 0, 0, 'WITHSCORES')
    redis.call('ZADD', base .. 'marker', math.floor(first[2] / 4096), '1')
    return
  end
  if priority > 0 then
    local arrival = redis.call('INCR', base .. 'pc') % 4294967296
    redis.call('ZADD', base .. 'prioritized', priority * 4294967296 + arrival, parent_id)
  else
    local parks = settings[1] and is_of_v5(settings[3], settings[4])
    redis.call('RPUSH', base .. (parks and 'paused' or 'wait'), parent_id)
  end
  local most = whole(settings[2])
  local full = most and redis.call('LLEN', base .. 'active') >= most
  if not settings[1] and not full then
    redis.call('ZADD', base .. 'marker', 0, '0')
  end
  redis.call('XADD', base .. 'events', '*', 'event', 'waiting', 'jobId', parent_id, 'prev', 'waiting-children')
end

local function release_if_waiting(parent_key, now)
  local base, parent_id = split_key(parent_key)
  if redis.call('EXISTS', parent_key) == 1 and redis.call('ZREM', base .. 'waiting-children', parent_id) == 1 then
    release_parent(parent_key, now)
  end
end

local function release_if_done(parent_key, now)
  if redis.call('SCARD', parent_key .. ':dependencies') == 0 then
    release_if_waiting(parent_key, now)
  end
end

local function child_completed(child_key, parent_key, value, now)
  if redis.call('SREM', parent_key .. ':dependencies', child_key) == 1 then
    redis.pcall('HSET', parent_key .. ':processed', child_key, value)
    release_if_done(parent_key, now)
  end
end

local function fail_parent(child_key, parent_key, now)
  if redis.call('EXISTS', parent_key) == 0 then
    return
  end
  redis.pcall('ZADD', parent_key .. ':unsuccessful', now, child_key)
  local base, parent_id = split_key(parent_key)
  local kept = fields_of(parent_key, 'defa', 'corral.failure')
  local reason = cancellation_of(kept[1], kept[2]) or 'child ' .. child_key .. ' failed'
  local was_delayed = redis.call('ZREM', base .. 'delayed', parent_id) == 1
  if was_delayed then
    redis.call('HSET', parent_key, 'delay', 0)
  end
  if was_delayed or redis.call('ZREM', base .. 'waiting-children', parent_id) == 1 then
    redis.call('HSET', parent_key, 'defa', reason)
    release_parent(parent_key, now)
  elseif not redis.call('ZSCORE', base .. 'failed', parent_id) then
    redis.call('HSET', parent_key, 'defa', reason)
  end
end

--- The policy stands in the child's `parent` JSON: fpof, cpof, idof, rdof, or none (then the parent goes on waiting).
local function child_failed(child_key, parent_key, policy, reason, now)
  if not (policy.fpof or policy.cpof or policy.idof or policy.rdof) then
    return
  end
  if redis.call('SREM', parent_key .. ':dependencies', child_key) == 0 then
    return
  end
  if policy.fpof then
    fail_parent(child_key, parent_key, now)
  elseif policy.cpof then
    redis.pcall('HSET', parent_key .. ':failed', child_key, reason)
    release_if_waiting(parent_key, now)
  else
    release_if_done(parent_key, now)
    if policy.idof then
      redis.pcall('HSET', parent_key .. ':failed', child_key, reason)
    end
  end
end
