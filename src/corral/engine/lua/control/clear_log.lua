#!lua flags=allow-oom
--- Delete the lines of a job's log, but for the newest.
--- @key events  stream  (names the slot of the queue)
--- @arg prefix  string   what every key of the queue begins with
--- @arg job_id  string
--- @arg keep    integer  how many to keep
--- @return 1, or -1 no job
--- BullMQ: cleanJobLogs
local job_key = prefix .. job_id
if redis.call('EXISTS', job_key) == 0 and redis.call('EXISTS', job_key .. ':logs') == 0 then
  return -1
end
if keep > 0 then
  redis.call('LTRIM', job_key .. ':logs', -keep, -1)
else
  redis.call('DEL', job_key .. ':logs')
end
return 1
