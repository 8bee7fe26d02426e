#!lua flags=allow-oom
--- Remove jobs that nobody has started, a bounded number of one place a call.
---                                                                     waiting | prioritized | delayed → nothing
--- The pending iterations of schedules stay. In a list they go to its head, in their order: behind what was added
--- before, so that the next call meets others.
--- @key wait         list  ready ids, next at the tail
--- @key paused       list  ready ids of a paused queue (BullMQ 5)
--- @key prioritized  zset  job ids by priority, then arrival
--- @key delayed      zset  job ids by due time
--- @include lib/clock
--- @include lib/sent
--- @include lib/in_chunks
--- @include lib/erase_jobs
--- @include lib/is_pending_iteration
--- @arg prefix  string   what every key of the queue begins with
--- @arg now     string   milliseconds, or empty for the server's time
--- @arg sender  string   who calls
--- @arg number  string   the sender's number of this call: a call sent again removes nothing more
--- @arg place   string   wait, paused, prioritized or delayed
--- @arg cursor  string   of the sets: where the last call ended, 0 to begin
--- @arg count   integer  about how many jobs to look at
--- @event waiting delayed
--- @return where to go on (0: at the end), how many ids were looked at, how many jobs were removed
--- BullMQ: drain
local done = recall(sender, number)
if done then
  return done
end
local now_ms = clock(now)
local list = ({ wait = wait, paused = paused })[place]
local set = ({ prioritized = prioritized, delayed = delayed })[place]
local ids, following = {}, '0'
if list then
  ids = redis.call('RPOP', list, count) or {}
  following = #ids == count and '1' or '0'
else
  local page = redis.call('ZSCAN', set, cursor, 'COUNT', count)
  following = page[1]
  for at = 1, #page[2], 2 do
    ids[#ids + 1] = page[2][at]
  end
end
local going, staying = {}, {}
for _, job_id in ipairs(ids) do
  local stays = is_pending_iteration(job_id)
  local group = stays and staying or going
  group[#group + 1] = job_id
end
if list then
  in_chunks('LPUSH', list, staying)
else
  in_chunks('ZREM', set, going)
end
erase_jobs(prefix, going, now_ms, true)
local reply = { following, #ids, #going }
remember(sender, number, reply)
return reply
