--- Decide whether a new job may be added beside the owner of its deduplication id.
--- Returns the owner's id when the add ends here, nil when the new job is to be added.
--- `rule` has: id, ttl (ms), extend, replace, keep (keep the last one while the owner is active),
--- supersedes.
--- With `supersedes` the new one always is, and the owner ends.
--- A delayed owner that is replaced is removed like any job: a parent waits for it no longer.
--- @key active   list    job ids that workers hold
--- @key delayed  zset    job ids by due time
--- @key events   stream
--- @include lib/fields_of
--- @include lib/job_keys
--- @include lib/supersede_owner
--- @include lib/unlink_child
local function deduplicate(prefix, queue, rule, id, job, now)
  local owner_key, next_key = prefix .. 'de:' .. rule.id, prefix .. 'dn:' .. rule.id
  local ttl = (not rule.keep and rule.ttl and rule.ttl > 0) and rule.ttl or nil

  local function start_window(...)
    if ttl then
      return redis.call('SET', owner_key, id, 'PX', ttl, ...)
    end
    return redis.call('SET', owner_key, id, ...)
  end

  local function say_dropped(owner)
    redis.call('XADD', events, '*', 'event', 'deduplicated', 'jobId', owner, 'deduplicationId', rule.id,
      'deduplicatedJobId', id)
  end

  -- A window without end whose owner is gone would block its id for ever.
  local function owner_is_stale(owner)
    if redis.call('PTTL', owner_key) == -1 and redis.call('EXISTS', prefix .. owner) == 0 then
      redis.call('DEL', owner_key, next_key)
      return true
    end
    return false
  end

  local function kept_for_later(owner)
    if not rule.keep or not redis.call('LPOS', active, owner) then
      return false
    end
    redis.call('DEL', next_key)
    redis.call('HSET', next_key, 'name', job.name, 'data', job.data, 'opts', job.opts, 'jid', id)
    redis.call('PERSIST', owner_key)
    say_dropped(owner)
    return true
  end

  -- A key of another type names no owner.
  local owner = redis.pcall('GET', owner_key)
  if type(owner) ~= 'string' or owner_is_stale(owner) then
    start_window()
    return nil
  end
  if rule.supersedes then
    supersede_owner(prefix, queue, owner, id, job, now)
    start_window()
    return nil
  end
  if rule.replace and redis.call('ZREM', delayed, owner) == 1 then
    local parent_key = fields_of(prefix .. owner, 'parentKey')[1]
    if parent_key then
      unlink_child(prefix .. owner, parent_key, now)
    end
    redis.call('DEL', unpack(job_keys({}, prefix .. owner)))
    redis.call('XADD', events, '*', 'event', 'removed', 'jobId', owner, 'prev', 'delayed')
    redis.call('XADD', events, '*', 'event', 'deduplicated', 'jobId', id, 'deduplicationId', rule.id,
      'deduplicatedJobId', owner)
    redis.call('DEL', next_key)
    if ttl and not rule.extend then
      redis.call('SET', owner_key, id, 'KEEPTTL')
    else
      start_window()
    end
    return nil
  end
  if kept_for_later(owner) or rule.replace then
    return owner
  end
  if ttl and rule.extend then
    redis.call('SET', owner_key, owner, 'PX', ttl)
  end
  say_dropped(owner)
  return owner
end
