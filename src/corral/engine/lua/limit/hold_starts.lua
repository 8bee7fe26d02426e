#!lua flags=allow-oom
--- Let no job of the queue start for some time, or end such a time and the current window with it.
--- @key limiter  string  jobs started in the current window
--- @include lib/read_queue
--- @include lib/room_to_start
--- @include lib/pass_baton
--- @include lib/tell_limited
--- @arg milliseconds  integer  how long; 0 ends it
--- @return 1
--- BullMQ: rateLimit, removeRateLimitKey
local queue = read_queue()
if milliseconds > 0 then
  hold_off(rate_of(queue, {}, redis.call('MGET', limiter)[1]), milliseconds)
else
  redis.call('DEL', limiter)
  tell_limited()
  pass_baton(queue)
end
return 1
