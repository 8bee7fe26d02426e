--- Fail a job for good that has left its place and whose handler does not run, or no longer: it is kept or not as its
--- own options say. `failure` has its kind, its text (the reason) and, where the job has not run, its state before
--- (`previous`): then no attempt is spent.
--- @include lib/fields_of
--- @include lib/finish_job
--- @include lib/kept_of
--- @include lib/options_of
--- @include lib/whole
--- @include lib/word
local function fail_at_once(prefix, queue, job_id, failure, now)
  local job_key = prefix .. job_id
  local kept = fields_of(job_key, 'atm', 'parent', 'parentKey', 'deid', 'opts')
  local keep_count, keep_age = kept_of(options_of(kept[5]).removeOnFail)
  local run = {
    id = job_id, verb = 'f', text = failure.text, trace = failure.text, trace_limit = 10, amount = math.huge,
    keep_count = keep_count, keep_age = keep_age, kind = failure.kind, previous = failure.previous,
  }
  local job = {
    key = job_key, made = (whole(kept[1]) or 0) - (failure.previous and 1 or 0), parent = kept[2],
    parent_key = kept[3], deduplication_id = kept[4],
  }
  local group = {}
  finish_job(prefix, queue, job, run, group, now, word(now))
  file_group(prefix, group, now)
end
