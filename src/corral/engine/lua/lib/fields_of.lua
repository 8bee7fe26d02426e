--- Fields of a job's hash, none where its key holds no hash: another client's mistake must not stop a script that has
--- begun to write.
local function fields_of(job_key, ...)
  local kept = redis.pcall('HMGET', job_key, ...)
  return kept.err and {} or kept
end
