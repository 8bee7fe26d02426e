--- Mark a job that has not ended as cancelled or superseded (see `lib/cancellation_of`), and tell the worker of its run.
--- What was said first stays; both return what holds, as kind and text.
--- @include lib/cancellation_of
--- @include lib/fence_of
--- @include lib/fields_of
--- @include lib/send_order
local function mark_cancelled(job_key, kind, text)
  local kept = fields_of(job_key, 'defa', 'corral.failure')
  if cancellation_of(kept[1], kept[2]) then
    return kept[2], kept[1]
  end
  redis.call('HSET', job_key, 'defa', text, 'corral.failure', kind)
  return kind, text
end

local function cancel_run(job_key, job_id, kind, text)
  local kind_held, text_held = mark_cancelled(job_key, kind, text)
  local kept = fields_of(job_key, 'ats', 'timestamp')
  send_order({ 'order', 'cancel', 'job', job_id, 'fence', fence_of(kept[1], kept[2]), 'reason', text_held })
  return kind_held, text_held
end
