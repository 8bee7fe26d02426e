#!lua flags=allow-oom
--- Take a child away from its parent: it goes on as a job of its own, and its parent no longer waits for it.
--- @key events  stream  (names the slot of the queue)
--- @include lib/clock
--- @include lib/sent
--- @include lib/fields_of
--- @include lib/unlink_child
--- @arg prefix  string  what every key of the queue begins with
--- @arg now     string  milliseconds, or empty for the server's time
--- @arg sender  string  who calls, or empty when the call is never sent again
--- @arg number  string  the sender's number of this call
--- @arg job_id  string
--- @event waiting delayed
--- @return 0 done, 1 the parent does not wait for it (any more), -1 no job, -5 no parent
--- BullMQ: removeChildDependency
local done = recall(sender, number)
if done then
  return done
end
local job_key = prefix .. job_id
if redis.call('EXISTS', job_key) == 0 then
  return -1
end
local parent_key = fields_of(job_key, 'parentKey')[1]
if not parent_key or redis.call('EXISTS', parent_key) == 0 then
  return -5
end
if redis.call('SISMEMBER', parent_key .. ':dependencies', job_key) == 0 then
  return 1
end
unlink_child(job_key, parent_key, clock(now))
redis.call('HDEL', job_key, 'parentKey', 'parent')
remember(sender, number, 0)
return 0
