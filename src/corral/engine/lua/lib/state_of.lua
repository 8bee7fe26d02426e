--- Say where a job is, in one look: a job on its way from one place to another is always found. A job that exists
--- and is nowhere else is waiting: that list is not searched.
--- @key completed         zset    completed ids by time
--- @key failed            zset    failed ids by time
--- @key delayed           zset    job ids by due time
--- @key prioritized       zset    job ids by priority, then arrival
--- @key waiting_children  zset    parents that wait for their children
--- @key active            list    job ids that workers hold
local function state_of(prefix, job_id)
  local sets = { { completed, 'completed' }, { failed, 'failed' }, { delayed, 'delayed' },
    { prioritized, 'prioritized' }, { waiting_children, 'waiting-children' } }
  for _, set in ipairs(sets) do
    if redis.call('ZSCORE', set[1], job_id) then
      return set[2]
    end
  end
  if redis.call('EXISTS', prefix .. job_id) == 0 then
    return 'unknown'
  end
  return redis.call('LPOS', active, job_id) and 'active' or 'waiting'
end
