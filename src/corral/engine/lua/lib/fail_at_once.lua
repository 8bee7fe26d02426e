--- Fail a job for good that has left its place and whose handler does not run, or no longer: it is kept or not as its
--- own options say.
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

local function fail_at_once(prefix, queue, job_id, kind, reason, now)
  local job_key = prefix .. job_id
  local kept = fields_of(job_key, 'atm', 'parent', 'parentKey', 'deid', 'opts')
  local keep_count, keep_age = kept_of(options_of(kept[5]).removeOnFail)
  local run = {
    id = job_id, verb = 'f', text = reason, trace = reason, trace_limit = 10, amount = math.huge,
    keep_count = keep_count, keep_age = keep_age, kind = kind,
  }
  local job = {
    key = job_key, made = whole(kept[1]) or 0, parent = kept[2], parent_key = kept[3], deduplication_id = kept[4],
  }
  local group = {}
  finish_job(prefix, queue, job, run, group, now, word(now))
  file_group(prefix, group, now)
end
