#!lua flags=allow-oom
--- Replace a job's payload: its next run gets the new one.
--- @key events  stream  (names the slot of the queue)
--- @arg prefix  string  what every key of the queue begins with
--- @arg job_id  string
--- @arg data    string  JSON
--- @arg name    string  the job has to have this name; empty for any
--- @return 1, -1 no job, or -25 the job has another name
--- BullMQ: updateData
local kind = redis.call('TYPE', prefix .. job_id)
if (kind.ok or kind) ~= 'hash' then
  return -1
end
if name ~= '' and redis.call('HGET', prefix .. job_id, 'name') ~= name then
  return -25
end
redis.call('HSET', prefix .. job_id, 'data', data)
return 1
