--- Whether a job has ended, else last started, else come into being, at or before `cutoff` (ms). A job without a record
--- is old.
--- @include lib/fields_of
local function is_old(job_key, cutoff)
  local kept = fields_of(job_key, 'finishedOn', 'processedOn', 'timestamp')
  local since = tonumber(kept[1] or kept[2] or kept[3] or 0) or 0
  return since <= cutoff
end
