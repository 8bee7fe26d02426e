--- Whether a run may still write to its job: no other has started, nobody else holds the lock.
--- Returns 0, or BullMQ's code of the refusal.
local function refusal_of(prefix, job_id, token, starts)
  local kept = redis.call('HGET', prefix .. job_id, 'ats')
  if not kept and redis.call('EXISTS', prefix .. job_id) == 0 then
    return -1
  end
  local holder = redis.call('GET', prefix .. job_id .. ':lock')
  if holder and holder ~= token then
    return -6
  end
  if kept ~= starts or redis.call('HEXISTS', prefix .. job_id, 'finishedOn') == 1 then
    return -2
  end
  return 0
end
