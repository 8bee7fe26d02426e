--- Take runs out of `active`. What decides about all runs of a call is read at once (`look_at`); each run is then
--- judged before anything of its job is written (`leave_active`); ids leave the list together at the end
--- (`sweep_active`).
---
--- A run is known by its lock and by its fence (`lib/fence_of`). A lock that is merely missing, because the server
--- stood still longer than it lasts, does not end a run while no other has started.
---
--- A job that was cancelled while it ran ends as that.
--- @key active  list  job ids that workers hold
--- @include lib/cancellation_of
--- @include lib/fence_of
--- @include lib/fields_of
--- @include lib/in_chunks
--- @include lib/kept_of
--- @include lib/options_of
--- @include lib/priority_of
--- @include lib/wait_for_children
--- @include lib/whole
local function look_at(prefix, runs)
  local facts = { holders = {}, children = false, listed = nil, gone = 0 }
  if #runs == 0 then
    return facts
  end
  local locks, children = {}, {}
  for at, run in ipairs(runs) do
    local job_key = prefix .. run.id
    locks[at] = job_key .. ':lock'
    children[2 * at - 1] = job_key .. ':dependencies'
    children[2 * at] = job_key .. ':unsuccessful'
  end
  facts.holders = redis.call('MGET', unpack(locks))
  facts.children = redis.call('EXISTS', unpack(children)) > 0
  -- One pass over a short list costs less than a search in it for each run.
  if #runs >= 4 and redis.call('LLEN', active) <= 8 * #runs then
    facts.order = redis.call('LRANGE', active, '0', '-1')
    facts.listed = {}
    for _, job_id in ipairs(facts.order) do
      facts.listed[job_id] = true
    end
  end
  return facts
end

local function is_taken_out(facts, job_id)
  if not facts.listed then
    return redis.call('LREM', active, '-1', job_id) == 1
  end
  local found = facts.listed[job_id]
  facts.listed[job_id] = nil
  facts.gone = facts.gone + (found and 1 or 0)
  return found
end

--- The run of a job that was cancelled meanwhile fails, whatever its handler did.
local function overrule(job_key, run, kind, reason)
  local options = options_of(fields_of(job_key, 'opts')[1])
  run.overruled = run.verb ~= 'f' or run.text ~= reason
  run.verb, run.text, run.kind, run.amount = 'f', reason, kind, math.huge
  run.keep_count, run.keep_age = kept_of(options.removeOnFail)
  run.trace, run.trace_limit = run.trace ~= '' and run.trace or reason, whole(options.stackTraceLimit) or 10
end

local function leave_active(prefix, run, holder, facts)
  local job_key = prefix .. run.id
  local job = fields_of(job_key, 'ats', 'atm', 'parent', 'parentKey', 'deid', 'priority', 'timestamp',
    'corral.singleton', 'defa', 'corral.failure')
  if not job[1] and redis.call('EXISTS', job_key) == 0 then
    return nil, -1
  end
  if holder and holder ~= run.token then
    return nil, -6
  end
  if fence_of(job[1], job[7]) ~= run.fence then
    return nil, -2
  end
  if cancellation_of(job[9], job[10]) then
    overrule(job_key, run, job[10], job[9])
  end
  if facts.children and run.verb == 'c' then
    if redis.call('EXISTS', job_key .. ':dependencies') == 1 then
      return nil, -4
    end
    if redis.call('EXISTS', job_key .. ':unsuccessful') == 1 then
      return nil, -9
    end
  end
  local refusal = run.verb == 'k' and refusal_to_wait(job_key)
  if refusal then
    return nil, refusal
  end
  if not is_taken_out(facts, run.id) then
    return nil, -3
  end
  return {
    key = job_key, made = whole(job[2]) or 0, parent = job[3], parent_key = job[4],
    deduplication_id = job[5], priority = priority_of(job[6]), singleton = job[8],
  }
end

local function sweep_active(facts)
  if facts.gone == 0 then
    return
  end
  local left = {}
  for _, job_id in ipairs(facts.order) do
    if facts.listed[job_id] then
      left[#left + 1] = job_id
    end
  end
  redis.call('DEL', active)
  if #left > 0 then
    in_chunks('RPUSH', active, left)
  end
end
