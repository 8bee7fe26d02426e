--- End a run because the next iteration of its schedule begins: it is failed, its lock is gone, and its worker is told.
--- One that waits for its next attempt fails when its turn comes. Returns whether this freed a place.
--- @key active   list  job ids that workers hold
--- @key stalled  set   ids seen active at the last stalled check
--- @include lib/end_turn
--- @include lib/fail_at_once
--- @include lib/fields_of
--- @include lib/mark_cancelled
local function supersede(prefix, queue, job_id, successor, now)
  local job_key = prefix .. job_id
  local kept = fields_of(job_key, 'ats', 'finishedOn', 'corral.singleton')
  if not kept[1] or kept[2] then
    return false
  end
  local reason = 'superseded by ' .. successor
  if redis.call('LREM', active, -1, job_id) == 0 then
    mark_cancelled(job_key, 'superseded', reason)
    return false
  end
  local kind, text = cancel_run(job_key, job_id, 'superseded', reason)
  redis.call('DEL', job_key .. ':lock')
  redis.call('SREM', stalled, job_id)
  end_turn(prefix, queue, kept[3], job_id)
  fail_at_once(prefix, queue, job_id, { kind = kind, text = text }, now)
  return true
end
