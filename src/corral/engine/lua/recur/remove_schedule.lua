#!lua flags=allow-oom
--- Remove a schedule and its pending iteration.  waiting | prioritized | delayed → nothing
--- A run of it goes on.
--- @key repeat_    zset    schedules by next iteration
--- @key schedules  hash    what Corral notes of each schedule
--- @key events     stream
--- @include lib/pending_id
--- @include lib/pending_iteration
--- @include lib/sent
--- @arg prefix       string  what every key of the queue begins with
--- @arg sender       string  who calls, or empty when the call is never sent again
--- @arg number       string  the sender's number of this call
--- @arg schedule_id  string
--- @arg search       integer  0, or where to search on for the pending iteration
--- @event removed
--- @return 1 removed, 0 there was none, and where to search on (0: done)
--- BullMQ: removeJobScheduler
local done = recall(sender, number)
if done then
  return done
end
if not redis.call('ZSCORE', repeat_, schedule_id) then
  return { 0, 0 }
end
local job_id = pending_id(schedule_id)
local state = job_id and state_of_pending(prefix, job_id)
local search_on = state and remove_pending(prefix, job_id, state, search)
if search_on then
  return { 0, search_on }
end
if state then
  redis.call('XADD', events, '*', 'event', 'removed', 'jobId', job_id, 'prev', state)
end
redis.call('ZREM', repeat_, schedule_id)
redis.call('DEL', prefix .. 'repeat:' .. schedule_id)
redis.pcall('HDEL', schedules, schedule_id)
local reply = { 1, 0 }
remember(sender, number, reply)
return reply
