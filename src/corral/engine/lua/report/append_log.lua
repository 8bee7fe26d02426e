#!lua flags=allow-oom
--- Append a line to the log of a running job.                                                  active → active
--- @key events  stream  (names the slot of the queue)
--- @include lib/refusal_of
--- @arg prefix  string   what every key of the queue begins with
--- @arg job_id  string
--- @arg token   string   the lock of the run
--- @arg fence   string   what the run is known by
--- @arg line    string
--- @arg keep    integer  how many of the newest lines to keep
--- @return how many lines there are, or why it was refused: -1 no job, -2 superseded, -6 held by another
--- BullMQ: addLog
local refused = refusal_of(prefix, job_id, token, fence)
if refused ~= 0 then
  return refused
end
local count = redis.call('RPUSH', prefix .. job_id .. ':logs', line)
if count > keep then
  redis.call('LTRIM', prefix .. job_id .. ':logs', -keep, -1)
  count = keep
end
return count
