#!lua flags=allow-oom
--- Give a finished job another payload and make it ready to run anew, or change nothing.
---                                                                    completed | failed → waiting | prioritized
--- @key completed  zset    completed ids by time
--- @key failed     zset    failed ids by time
--- @key events     stream
--- @include lib/fields_of
--- @include lib/read_queue
--- @include lib/sent
--- @include lib/retry_job
--- @include lib/state_of
--- @arg prefix  string  what every key of the queue begins with
--- @arg sender  string  who calls
--- @arg number  string  the sender's number of this call: a call sent again changes nothing more
--- @arg job_id  string
--- @arg data    string  JSON
--- @arg name    string  the job has to have this name; empty for any
--- @event waiting
--- @return 1; -25 the job has another name; or the state in which it is instead of an ended one
--- BullMQ: updateData, reprocessJob
local done = recall(sender, number)
if done then
  return done
end
local state = redis.call('ZSCORE', failed, job_id) and 'failed' or redis.call('ZSCORE', completed, job_id) and 'completed'
if not state then
  return state_of(prefix, job_id)
end
local kind = redis.call('TYPE', prefix .. job_id)
if (kind.ok or kind) ~= 'hash' then
  return 'unknown'
end
if name ~= '' and fields_of(prefix .. job_id, 'name')[1] ~= name then
  return -25
end
local queue = read_queue()
redis.call('HSET', prefix .. job_id, 'data', data)
retry_job(prefix, queue, state, job_id, { front = '', anew = true })
redis.call('XTRIM', events, 'MAXLEN', '~', queue.max_events)
remember(sender, number, 1)
return 1
