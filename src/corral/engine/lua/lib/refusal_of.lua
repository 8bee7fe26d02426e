--- Whether a run may still write to its job: it goes on, no other has started, nobody else holds the lock. Without a lock,
--- which may have run out, it goes on while the job is active.
--- Returns 0, or BullMQ's code of the refusal.
--- @include lib/fence_of
--- @include lib/fields_of
local function refusal_of(prefix, job_id, token, fence)
  local kept = fields_of(prefix .. job_id, 'ats', 'timestamp')
  if not kept[1] and redis.call('EXISTS', prefix .. job_id) == 0 then
    return -1
  end
  local holder = redis.pcall('GET', prefix .. job_id .. ':lock')
  if holder and holder ~= token then
    return -6
  end
  if fence_of(kept[1], kept[2]) ~= fence or not (holder or redis.call('LPOS', prefix .. 'active', job_id)) then
    return -2
  end
  return 0
end
