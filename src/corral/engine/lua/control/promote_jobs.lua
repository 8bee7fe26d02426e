#!lua flags=allow-oom
--- Make delayed jobs ready before their time.                                  delayed → waiting | prioritized
--- @key delayed  zset    job ids by due time
--- @key events   stream
--- @include lib/read_queue
--- @include lib/sent
--- @include lib/promote_jobs
--- @include lib/state_of
--- @arg prefix   string   what every key of the queue begins with
--- @arg sender   string   who calls, or empty when the call is never sent again
--- @arg number   string   the sender's number of this call
--- @rest ids     the jobs
--- @event waiting
--- @return for each 1, or the state in which it is instead
--- BullMQ: promote
local done = recall(sender, number)
if done then
  return done
end
local queue = read_queue()
local answers, promoted = {}, {}
for at = ids, #ARGV do
  local job_id = ARGV[at]
  local exists = redis.call('EXISTS', prefix .. job_id) == 1
  if exists and redis.call('ZREM', delayed, job_id) == 1 then
    promoted[#promoted + 1] = job_id
    answers[#answers + 1] = 1
  else
    answers[#answers + 1] = exists and state_of(prefix, job_id) or 'unknown'
  end
end
if #promoted > 0 then
  promote_jobs(prefix, queue, promoted)
  redis.call('XTRIM', events, 'MAXLEN', '~', queue.max_events)
  remember(sender, number, answers)
end
return answers
