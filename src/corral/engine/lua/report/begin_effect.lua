#!lua flags=allow-oom
--- A running job enters an effect that is to happen once, unless it has happened or another run is inside. A run counts
--- as inside as long as it holds the lock of its job.                                          active → active
--- @key once  hash  prefix of the records, one an effect: its result, and the run that entered
--- @include lib/refusal_of
--- @arg prefix   string   what every key of the queue begins with
--- @arg job_id   string
--- @arg token    string   the lock of the run
--- @arg fence    string   what the run is known by
--- @arg effect   string   its key
--- @arg keep_ms  integer  how long the record is kept when nobody leaves the effect
--- @return a code, and what goes with it: 0 entered, 1 it has happened and its result (JSON), 2 another run is inside and
---         its job; or why it was refused: -1 no job, -2 superseded, -6 held by another
--- BullMQ: none
local record = once .. effect
local refused = refusal_of(prefix, job_id, token, fence)
if refused ~= 0 then
  return { refused, '' }
end
local kept = redis.call('HMGET', record, 'result', 'job', 'token')
if kept[1] then
  return { 1, kept[1] }
end
local is_own = kept[2] == job_id and kept[3] == token
if kept[2] and not is_own and redis.pcall('GET', prefix .. kept[2] .. ':lock') == kept[3] then
  return { 2, kept[2] }
end
redis.call('HSET', record, 'job', job_id, 'token', token, 'fence', fence)
redis.call('PEXPIRE', record, keep_ms)
return { 0, '' }
