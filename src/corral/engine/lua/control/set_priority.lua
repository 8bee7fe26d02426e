#!lua flags=allow-oom
--- Change a job's priority. One that is ready changes its place in line: behind its new equals, or before them.
---                                                      waiting | prioritized → waiting | prioritized
--- @key prioritized  zset    job ids by priority, then arrival
--- @key events       stream  (names the slot of the queue)
--- @include lib/read_queue
--- @include lib/sent
--- @include lib/ready_job
--- @include lib/state_of
--- @include lib/take_waiting
--- @arg prefix    string   what every key of the queue begins with
--- @arg sender    string   who calls, or empty when the call is never sent again
--- @arg number    string   the sender's number of this call
--- @arg job_id    string
--- @arg priority  integer  0 for none
--- @arg front     string   1 to run it before its new equals
--- @arg search    integer  0, or where to search on
--- @return a code, and what goes with it: 1 changed, -1 no job, 2 nothing done and where to search on
--- BullMQ: changePriority
local done = recall(sender, number)
if done then
  return done
end
local kind = redis.call('TYPE', prefix .. job_id)
if (kind.ok or kind) ~= 'hash' then
  return { -1, 0 }
end
local queue = read_queue()
local state = state_of(prefix, job_id)
local line, search_on = nil, nil
if state == 'prioritized' then
  redis.call('ZREM', prioritized, job_id)
  line = state
elseif state == 'waiting' then
  line, search_on = take_waiting(prefix, job_id, search)
end
if search_on then
  return { 2, search_on }
end
redis.call('HSET', prefix .. job_id, 'priority', priority)
if line then
  ready_job(queue, job_id, priority, front == '1')
end
local reply = { 1, 0 }
remember(sender, number, reply)
return reply
