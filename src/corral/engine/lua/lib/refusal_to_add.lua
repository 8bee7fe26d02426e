--- Whether a run may add children to its job: it may write to it, and the job is not cancelled. Nobody would cancel what
--- was added after that. Returns 0, or BullMQ's code of the refusal.
--- @include lib/cancellation_of
--- @include lib/fields_of
--- @include lib/refusal_of
local function refusal_to_add(prefix, job_id, token, fence)
  local refused = refusal_of(prefix, job_id, token, fence)
  local kept = fields_of(prefix .. job_id, 'defa', 'corral.failure')
  if refused == 0 and cancellation_of(kept[1], kept[2]) then
    return -2
  end
  return refused
end
