#!lua flags=allow-oom
--- Renew the locks of running jobs. A lock that is missing is taken again while its run is still the last that
--- started: then the server stood still longer than the lock, and nobody else has run the job.        active → active
--- @key stalled  set   ids seen active at the last stalled check
--- @key active   list  job ids that workers hold
--- @include lib/fence_of
--- @include lib/fields_of
--- @include lib/in_chunks
--- @arg lock_ms  string   how long the locks last from now
--- @arg prefix   string   what every key of the queue begins with
--- @rest runs    three strings a run: id, token, fence
--- @return one number a run: 1 renewed, 2 taken again, 0 lost
--- BullMQ: extendLocks
local function is_last(job_id, fence)
  local kept = fields_of(prefix .. job_id, 'ats', 'timestamp')
  return fence_of(kept[1], kept[2]) == fence
end

local answers, held = {}, {}
for at = runs, #ARGV, 3 do
  local job_id, token, fence = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local lock_key = prefix .. job_id .. ':lock'
  local holder = redis.pcall('GET', lock_key)
  local answer = 0
  if holder == token then
    redis.call('PEXPIRE', lock_key, lock_ms)
    answer = 1
  elseif not holder and is_last(job_id, fence) and redis.call('LPOS', active, job_id) then
    redis.call('SET', lock_key, token, 'PX', lock_ms)
    answer = 2
  end
  if answer > 0 then
    held[#held + 1] = job_id
  end
  answers[#answers + 1] = answer
end
if #held > 0 then
  in_chunks('SREM', stalled, held)
end
return answers
