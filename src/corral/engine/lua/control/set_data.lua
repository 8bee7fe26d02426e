#!lua flags=allow-oom
--- Replace a job's payload: its next run gets the new one.
--- @key events  stream  (names the slot of the queue)
--- @arg prefix  string  what every key of the queue begins with
--- @arg job_id  string
--- @arg data    string  JSON
--- @return 1, or -1 no job
--- BullMQ: updateData
local kind = redis.call('TYPE', prefix .. job_id)
if (kind.ok or kind) ~= 'hash' then
  return -1
end
redis.call('HSET', prefix .. job_id, 'data', data)
return 1
