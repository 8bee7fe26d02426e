--- Jobs cease to exist with all that belongs to them: their ids have left their places, or do so in the same call.
--- No parent waits for them any longer. One that waited for nothing else is released; but when `parents_go` and it is in
--- the same queue, it ceases to exist as well, and so on upwards (BullMQ's hard removal). Returns how many jobs that were.
--- @key waiting_children  zset  parents that wait for their children
--- @include lib/children
--- @include lib/fields_of
--- @include lib/in_chunks
--- @include lib/job_keys
--- @include lib/split_key
local function leave_parent(prefix, job_key, parent_key, now, parents_go)
  local dependencies = parent_key .. ':dependencies'
  if redis.call('SREM', dependencies, job_key) == 0 or redis.call('SCARD', dependencies) > 0 then
    return nil
  end
  local base, parent_id = split_key(parent_key)
  if parents_go and base == prefix then
    return redis.call('ZREM', waiting_children, parent_id) == 1 and parent_id or nil
  end
  release_if_waiting(parent_key, now)
  return nil
end

local function erase_jobs(prefix, ids, now, parents_go)
  local going, keys = {}, {}
  for at, job_id in ipairs(ids) do
    going[at] = job_id
  end
  local at = 1
  while going[at] do
    local job_id, job_key = going[at], prefix .. going[at]
    local kept = fields_of(job_key, 'parentKey', 'deid')
    if kept[1] then
      going[#going + 1] = leave_parent(prefix, job_key, kept[1], now, parents_go)
    end
    if kept[2] and redis.pcall('GET', prefix .. 'de:' .. kept[2]) == job_id then
      keys[#keys + 1] = prefix .. 'de:' .. kept[2]
      keys[#keys + 1] = prefix .. 'dn:' .. kept[2]
    end
    job_keys(keys, job_key)
    at = at + 1
  end
  in_chunks('UNLINK', nil, keys)
  return #going
end
