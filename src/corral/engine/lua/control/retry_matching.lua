#!lua flags=allow-oom
--- Make those finished jobs of a page ready to run again that match.   completed | failed → waiting | prioritized
--- Nothing is done before `highest` is in the past: a job that is retried and ends at once is then behind it, and not
--- met again.
--- @key completed  zset    completed ids by time
--- @key failed     zset    failed ids by time
--- @key events     stream
--- @include lib/clock
--- @include lib/read_queue
--- @include lib/sent
--- @include lib/next_page
--- @include lib/matches
--- @include lib/retry_job
--- @arg prefix      string   what every key of the queue begins with
--- @arg now         string   milliseconds, or empty for the server's time
--- @arg sender      string   who calls, or empty when the call is never sent again
--- @arg number      string   the sender's number of this call
--- @arg state       string   completed or failed
--- @arg score       string   the page begins behind this time …
--- @arg job_id      string   … and this id
--- @arg highest     string   the latest time that counts
--- @arg size        integer  how many jobs to look at
--- @arg most        integer  how many to retry at most
--- @arg name        string   only jobs of this name; empty for any
--- @arg reason      string   only jobs with this text in their reason; empty for any
--- @arg anew        string   1 to forget the attempts made and the stalls
--- @event waiting
--- @return how many were looked at (-1: `highest` is not in the past), how many of them were retried, and the time and
---         the id at the end of the page
--- BullMQ: moveJobsToWait
local done = recall(sender, number)
if done then
  return done
end
local queue = read_queue()
if clock(now) <= tonumber(highest) then
  return { -1, 0, score, job_id }
end
local page = next_page(state == 'completed' and completed or failed, score, job_id, highest, size)
local how = { front = '0', anew = anew == '1' }
local reply = { 0, 0, score, job_id }
for at = 1, #page, 2 do
  if reply[2] < most then
    local id = page[at]
    if matches(prefix, id, name, reason) and retry_job(prefix, queue, state, id, how) == 1 then
      reply[2] = reply[2] + 1
    end
    reply[1], reply[3], reply[4] = reply[1] + 1, page[at + 1], id
  end
end
if reply[2] > 0 then
  redis.call('XTRIM', events, 'MAXLEN', '~', queue.max_events)
  remember(sender, number, reply)
end
return reply
