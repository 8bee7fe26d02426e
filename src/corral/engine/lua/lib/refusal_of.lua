--- Whether a run may still write to its job: no other has started, nobody else holds the lock.
--- Returns 0, or BullMQ's code of the refusal.
--- @include lib/fields_of
local function refusal_of(prefix, job_id, token, starts)
  local kept = fields_of(prefix .. job_id, 'ats', 'finishedOn')
  if not kept[1] and redis.call('EXISTS', prefix .. job_id) == 0 then
    return -1
  end
  local holder = redis.pcall('GET', prefix .. job_id .. ':lock')
  if holder and holder ~= token then
    return -6
  end
  if kept[1] ~= starts or kept[2] then
    return -2
  end
  return 0
end
