--- End a run because the next iteration of its schedule begins: it is failed, and its worker will find the lock gone.
--- One that waits for its next attempt fails when its turn comes. Returns whether this freed a place.
--- @key active   list  job ids that workers hold
--- @key stalled  set   ids seen active at the last stalled check
--- @include lib/fields_of
--- @include lib/finish_job
--- @include lib/options_of
--- @include lib/whole
--- @include lib/word
local function kept_of(policy)
  if type(policy) == 'table' then
    return whole(policy.count) or -1, whole(policy.age) or -1
  end
  if policy == true then
    return 0, -1
  end
  return whole(policy) or -1, -1
end

local function supersede(prefix, queue, job_id, successor, now)
  local job_key = prefix .. job_id
  local kept = fields_of(job_key, 'ats', 'finishedOn', 'atm', 'parent', 'parentKey', 'deid', 'opts')
  if not kept[1] or kept[2] then
    return false
  end
  local reason = 'superseded by ' .. successor
  if redis.call('LREM', active, -1, job_id) == 0 then
    redis.call('HSET', job_key, 'defa', reason)
    return false
  end
  redis.call('DEL', job_key .. ':lock')
  redis.call('SREM', stalled, job_id)
  local keep_count, keep_age = kept_of(options_of(kept[7]).removeOnFail)
  local run = {
    id = job_id, verb = 'f', text = reason, trace = reason, trace_limit = 10, amount = math.huge,
    keep_count = keep_count, keep_age = keep_age,
  }
  local job = {
    key = job_key, made = whole(kept[3]) or 0, parent = kept[4], parent_key = kept[5],
    deduplication_id = kept[6],
  }
  local group = {}
  finish_job(prefix, queue, job, run, group, now, word(now))
  file_group(prefix, group, now)
  return true
end
