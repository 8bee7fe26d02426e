#!lua flags=allow-oom
--- Return jobs whose worker is gone: they were active at the last check, have no lock now and nobody renewed them.
--- One worker checks in an interval.                                             active → waiting | prioritized
--- @key stalled        set     ids seen active at the last check
--- @key stalled_check  string  exists while the next check is not due
--- @key active         list    job ids that workers hold
--- @key events         stream
--- @include lib/clock
--- @include lib/read_queue
--- @include lib/in_chunks
--- @include lib/pass_baton
--- @include lib/return_stalled
--- @include lib/sweep_holders
--- @arg prefix       string   what every key of the queue begins with
--- @arg now          string   milliseconds, or empty for the server's time
--- @arg interval_ms  integer  time between checks
--- @arg max_stalled  integer  how often a job may stall; then it is started once more only to be failed
--- @event waiting stalled failed
--- @return ids that were returned, each with its count of stalls; nothing when the check was not due
--- BullMQ: moveStalledJobsToWait
local now_ms = clock(now)
if not redis.call('SET', stalled_check, now_ms, 'PX', interval_ms, 'NX') then
  return {}
end
local queue = read_queue()
redis.call('XTRIM', events, 'MAXLEN', '~', queue.max_events)
local returned = {}
for _, job_id in ipairs(redis.call('SMEMBERS', stalled)) do
  local job_key = prefix .. job_id
  if redis.call('EXISTS', job_key .. ':lock') == 0 and redis.call('LREM', active, 1, job_id) == 1 then
    local stalls = return_stalled(prefix, queue, job_id, max_stalled, now_ms)
    if stalls then
      returned[#returned + 1] = { job_id, stalls }
    end
  end
end
if #returned > 0 then
  pass_baton(queue)
end
redis.call('DEL', stalled)
local running = redis.call('LRANGE', active, 0, -1)
if #running > 0 then
  in_chunks('SADD', stalled, running)
end
sweep_holders(prefix, queue, running)
return returned
