#!lua flags=allow-oom
--- Leave an effect that has failed: the next run that comes may enter.                         active → active
--- @key once  hash  prefix of the records, one an effect: its result, and the run that entered
--- @arg job_id   string
--- @arg token    string   the lock of the run
--- @arg fence    string   what the run is known by
--- @arg effect   string   its key
--- @return 1, or 0 when this run is not inside
--- BullMQ: none
local record = once .. effect
local kept = redis.call('HMGET', record, 'job', 'token', 'fence', 'result')
if kept[1] == job_id and kept[2] == token and kept[3] == fence and not kept[4] then
  return redis.call('DEL', record)
end
return 0
