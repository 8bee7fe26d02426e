#!lua flags=allow-oom
--- Change the time at which a delayed job is due. One that waits for the turn of its singleton key leaves the line: it
--- joins it anew when it is due.                                                               delayed → delayed
--- @key delayed  zset    job ids by due time
--- @include lib/clock
--- @include lib/sent
--- @include lib/delay_job
--- @include lib/leave_aside
--- @include lib/state_of
--- @include lib/wake_when_due
--- @include lib/word
--- @arg prefix  string   what every key of the queue begins with
--- @arg now     string   milliseconds, or empty for the server's time
--- @arg sender  string   who calls, or empty when the call is never sent again
--- @arg number  string   the sender's number of this call
--- @arg job_id  string
--- @arg delay   integer  ms from now
--- @arg due     string   ms since the epoch, or empty; it wins over `delay`
--- @event delayed
--- @return 1, or the state in which it is instead
--- BullMQ: changeDelay
local done = recall(sender, number)
if done then
  return done
end
local kind = redis.call('TYPE', prefix .. job_id)
if (kind.ok or kind) ~= 'hash' then
  return 'unknown'
end
if not redis.call('ZSCORE', delayed, job_id) then
  return state_of(prefix, job_id)
end
local now_ms = clock(now)
local wait_ms = due == '' and delay or math.max(0, tonumber(due) - now_ms)
redis.call('ZREM', delayed, job_id)
leave_aside(prefix, job_id, now_ms)
redis.call('HSET', prefix .. job_id, 'delay', word(wait_ms))
delay_job(job_id, now_ms + wait_ms)
wake_when_due()
remember(sender, number, 1)
return 1
