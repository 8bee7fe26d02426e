#!lua flags=allow-oom
--- Remove jobs of a list that came into being some time ago, a bounded number a call, beginning with those next in
--- line. Of active jobs only those without a lock.                                       waiting | active → nothing
--- The pending iterations of schedules stay. The server walks over the `skip` ids that were looked at before, so the
--- caller bounds them.
--- @key wait    list    ready ids, next at the tail
--- @key paused  list    ready ids of a paused queue (BullMQ 5)
--- @key active  list    job ids that workers hold
--- @key events  stream
--- @include lib/clock
--- @include lib/sent
--- @include lib/erase_jobs
--- @include lib/is_old
--- @include lib/pending_id
--- @include lib/pass_baton
--- @include lib/read_queue
--- @arg prefix  string   what every key of the queue begins with
--- @arg now     string   milliseconds, or empty for the server's time
--- @arg sender  string   who calls
--- @arg number  string   the sender's number of this call: a call sent again removes nothing more
--- @arg place   string   wait, paused or active
--- @arg age_ms  integer  how long ago they were added or last started, at least
--- @arg most    integer  how many to remove at most
--- @arg skip    integer  how many ids at the tail stay, as earlier calls have found
--- @arg count   integer  how many ids to look at
--- @event cleaned waiting delayed
--- @return how many ids were looked at, how many jobs were removed
--- BullMQ: cleanJobsInSet
local GONE = '0:gone'  -- no id may begin so
local done = recall(sender, number)
if done then
  return done
end
local now_ms = clock(now)
local list = ({ wait = wait, paused = paused, active = active })[place]
local ids = redis.call('LRANGE', list, -skip - count, -skip - 1)
local going = {}
for at = #ids, 1, -1 do
  local job_id = ids[at]
  local held = list == active and redis.call('EXISTS', prefix .. job_id .. ':lock') == 1
  if #going < most and not held and is_old(prefix .. job_id, now_ms - age_ms)
    and not is_pending_iteration(job_id) then
    going[#going + 1] = job_id
    redis.call('LSET', list, at - #ids - skip - 1, GONE)
  end
end
if #going > 0 then
  redis.call('LREM', list, -#going, GONE)
  erase_jobs(prefix, going, now_ms, true)
  redis.call('XADD', events, '*', 'event', 'cleaned', 'count', #going)
  if list == active then
    pass_baton(read_queue())
  end
end
local reply = { #ids, #going }
remember(sender, number, reply)
return reply
