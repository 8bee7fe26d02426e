#!lua flags=allow-oom
--- Remove failed jobs by their ids, with all that they have.                           failed → nothing
--- @key failed  zset    failed ids by time
--- @key events  stream
--- @include lib/clock
--- @include lib/sent
--- @include lib/in_chunks
--- @include lib/erase_jobs
--- @arg prefix  string  what every key of the queue begins with
--- @arg now     string  milliseconds, or empty for the server's time
--- @arg sender  string  who calls
--- @arg number  string  the sender's number of this call: a call sent again removes nothing more
--- @rest ids    those that are not failed are left alone
--- @event cleaned waiting delayed
--- @return how many were removed
--- BullMQ: none
local done = recall(sender, number)
if done then
  return done
end
local now_ms = clock(now)
local going = {}
for at = ids, #ARGV do
  if redis.call('ZSCORE', failed, ARGV[at]) then
    going[#going + 1] = ARGV[at]
  end
end
if #going > 0 then
  in_chunks('ZREM', failed, going)
  erase_jobs(prefix, going, now_ms, true)
  redis.call('XADD', events, '*', 'event', 'cleaned', 'count', #going)
end
remember(sender, number, #going)
return #going
