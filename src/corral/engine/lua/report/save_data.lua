#!lua flags=allow-oom
--- Replace the payload of a running job: its next run gets the new one.                       active → active
--- @key events  stream  (names the slot of the queue)
--- @include lib/refusal_of
--- @arg prefix  string  what every key of the queue begins with
--- @arg job_id  string
--- @arg token   string  the lock of the run
--- @arg fence   string  what the run is known by
--- @arg data    string  JSON
--- @return 0, or why it was refused: -1 no job, -2 superseded, -6 held by another
--- BullMQ: updateData
local refused = refusal_of(prefix, job_id, token, fence)
if refused == 0 then
  redis.call('HSET', prefix .. job_id, 'data', data)
end
return refused
