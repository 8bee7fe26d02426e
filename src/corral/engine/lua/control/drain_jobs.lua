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
--- @include lib/pending_id
--- @include lib/page_of
--- @arg prefix  string   what every key of the queue begins with
--- @arg now     string   milliseconds, or empty for the server's time
--- @arg sender  string   who calls
--- @arg number  string   the sender's number of this call: a call sent again removes nothing more
--- @arg place   string   wait, paused, prioritized or delayed
--- @arg cursor  string   of the sets: where the last call ended, 0 to begin
--- @arg count   integer  how many jobs to look at
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
local ids, scores
if list then
  ids = redis.call('RPOP', list, count) or {}
else
  ids, scores = page_of(set, cursor, count)
end
local going, staying, stays = {}, {}, {}
for at, job_id in ipairs(ids) do
  stays[at] = is_pending_iteration(job_id)
  local group = stays[at] and staying or going
  group[#group + 1] = job_id
end
local following
if list then
  in_chunks('LPUSH', list, staying)
  following = #ids == count and '1' or '0'
else
  in_chunks('ZREM', set, going)
  following = cursor_behind(cursor, scores, stays, count)
end
erase_jobs(prefix, going, now_ms, true)
local reply = { following, #ids, #going }
remember(sender, number, reply)
return reply
