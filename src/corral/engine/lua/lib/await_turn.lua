--- What the rule of a singleton job says when it is about to start: whether its key is free (`is_free`), and what
--- becomes of it where it is not. A holder whose lock is gone is returned like a stalled job: then its late run neither
--- renews its lock nor settles.
--- @key active  list  job ids that workers hold
--- @include lib/fail_at_once
--- @include lib/holder_of
--- @include lib/return_stalled
--- @include lib/set_aside
local function has_taken(run, job_id)
  for _, taken in ipairs(run.taken) do
    if taken == job_id then
      return true
    end
  end
  return false
end

local function is_free(prefix, queue, run, job_id, key, now)
  local holder, left = holder_of(prefix, key)
  if not holder or holder == job_id then
    return true
  end
  if left then
    return false, holder, left
  end
  -- A holder that another program has returned may be in `active` because this very claim is about to look at it.
  if redis.call('EXISTS', prefix .. holder .. ':lock') == 0 and not has_taken(run, holder)
    and redis.call('LREM', active, -1, holder) == 1 then
    return_stalled(prefix, queue, holder, run.max_stalled, now)
  end
  return true
end

local function is_set_aside(prefix, queue, run, job_id, rule, now)
  local free, _, left = is_free(prefix, queue, run, job_id, rule.key, now)
  if not free then
    set_aside(prefix, job_id, rule.key, left, now)
  end
  return not free
end

local function is_skipped(prefix, queue, run, job_id, rule, now)
  local free, holder = is_free(prefix, queue, run, job_id, rule.key, now)
  if not free then
    redis.call('LREM', active, 1, job_id)
    local text = 'skipped: ' .. holder .. ' holds "' .. rule.key .. '"'
    fail_at_once(prefix, queue, job_id, { kind = 'skipped', text = text, previous = 'waiting' }, now)
  end
  return not free
end
