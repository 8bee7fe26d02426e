#!lua flags=allow-oom
--- Store the progress of a running job.                                                        active → active
--- @key events  stream
--- @include lib/refusal_of
--- @arg prefix    string  what every key of the queue begins with
--- @arg job_id    string
--- @arg token     string  the lock of the run
--- @arg fence     string  what the run is known by
--- @arg progress  string  JSON
--- @event progress
--- @return 0, or why it was refused: -1 no job, -2 superseded, -6 held by another
--- BullMQ: updateProgress
local refused = refusal_of(prefix, job_id, token, fence)
if refused == 0 then
  redis.call('HSET', prefix .. job_id, 'progress', progress)
  redis.call('XADD', events, '*', 'event', 'progress', 'jobId', job_id, 'data', progress)
end
return refused
