#!lua flags=allow-oom
--- Keep the result of an effect, while the run that entered it has not been replaced: also one that is over, as its
--- effect has happened.                                                                        active → active
--- @key once  hash  prefix of the records, one an effect: its result, and the run that entered
--- @arg job_id   string
--- @arg token    string   the lock of the run
--- @arg fence    string   what the run is known by
--- @arg effect   string   its key
--- @arg result   string   JSON
--- @arg keep_ms  integer  how long to keep it
--- @return 0, or -2 when another run has entered since
--- BullMQ: none
local record = once .. effect
local kept = redis.call('HMGET', record, 'job', 'token', 'fence')
if kept[1] ~= job_id or kept[2] ~= token or kept[3] ~= fence then
  return -2
end
redis.call('HSET', record, 'result', result)
redis.call('PEXPIRE', record, keep_ms)
return 0
