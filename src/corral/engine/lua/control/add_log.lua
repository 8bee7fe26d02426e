#!lua flags=allow-oom
--- Append a line to a job's log, whatever state it is in.
--- @key events  stream  (names the slot of the queue)
--- @include lib/sent
--- @include lib/fields_of
--- @include lib/options_of
--- @arg prefix  string   what every key of the queue begins with
--- @arg sender  string   who calls, or empty when the call is never sent again
--- @arg number  string   the sender's number of this call
--- @arg job_id  string
--- @arg line    string
--- @arg keep    integer  how many of the newest lines to keep, unless the job says otherwise (keepLogs)
--- @return how many lines there are, or -1 no job
--- BullMQ: addLog
local done = recall(sender, number)
if done then
  return done
end
local job_key = prefix .. job_id
if redis.call('EXISTS', job_key) == 0 then
  return -1
end
local most = tonumber(options_of(fields_of(job_key, 'opts')[1]).kl or nil) or keep
local count = redis.call('RPUSH', job_key .. ':logs', line)
if most > 0 and count > most then
  redis.call('LTRIM', job_key .. ':logs', -most, -1)
  count = most
end
remember(sender, number, count)
return count
