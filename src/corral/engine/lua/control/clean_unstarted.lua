#!lua flags=allow-oom
--- Remove jobs of a sorted line that came into being some time ago, a bounded number a call.
---                                                                               prioritized | delayed → nothing
--- The pending iterations of schedules stay.
--- @key prioritized  zset    job ids by priority, then arrival
--- @key delayed      zset    job ids by due time
--- @key events       stream
--- @include lib/clock
--- @include lib/sent
--- @include lib/in_chunks
--- @include lib/erase_jobs
--- @include lib/is_old
--- @include lib/pending_id
--- @include lib/page_of
--- @arg prefix  string   what every key of the queue begins with
--- @arg now     string   milliseconds, or empty for the server's time
--- @arg sender  string   who calls
--- @arg number  string   the sender's number of this call: a call sent again removes nothing more
--- @arg place   string   prioritized or delayed
--- @arg age_ms  integer  how long ago they were added or last started, at least
--- @arg most    integer  how many to remove at most
--- @arg cursor  string   where the last call ended, 0 to begin
--- @arg count   integer  how many jobs to look at
--- @event cleaned waiting delayed
--- @return where to go on (0: at the end), how many ids were looked at, how many jobs were removed
--- BullMQ: cleanJobsInSet
local done = recall(sender, number)
if done then
  return done
end
local now_ms = clock(now)
local set = place == 'delayed' and delayed or prioritized
local ids, scores = page_of(set, cursor, count)
local going, stays = {}, {}
for at, job_id in ipairs(ids) do
  stays[at] = #going == most or not is_old(prefix .. job_id, now_ms - age_ms) or is_pending_iteration(job_id)
  if not stays[at] then
    going[#going + 1] = job_id
  end
end
if #going > 0 then
  in_chunks('ZREM', set, going)
  erase_jobs(prefix, going, now_ms, true)
  redis.call('XADD', events, '*', 'event', 'cleaned', 'count', #going)
end
local reply = { cursor_behind(cursor, scores, stays, count), #ids, #going }
remember(sender, number, reply)
return reply
