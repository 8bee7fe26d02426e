#!lua flags=allow-oom
--- Make a page of delayed jobs ready before their time, the earliest first.     delayed → waiting | prioritized
--- @key delayed  zset    job ids by due time
--- @key events   stream
--- @include lib/read_queue
--- @include lib/sent
--- @include lib/in_chunks
--- @include lib/next_page
--- @include lib/promote_jobs
--- @arg prefix   string   what every key of the queue begins with
--- @arg sender   string   who calls, or empty when the call is never sent again
--- @arg number   string   the sender's number of this call
--- @arg score    string   the page begins behind this score …
--- @arg job_id   string   … and this id
--- @arg highest  string   the highest score that counts
--- @arg size     integer  how many jobs to promote
--- @event waiting
--- @return how many were promoted, how many (the same number), and the score and the id at the end of the page
--- BullMQ: moveJobsToWait
local done = recall(sender, number)
if done then
  return done
end
local queue = read_queue()
local page = next_page(delayed, score, job_id, highest, size)
local ids = {}
for at = 1, #page, 2 do
  ids[#ids + 1] = page[at]
end
if #ids == 0 then
  return { 0, 0, score, job_id }
end
in_chunks('ZREM', delayed, ids)
promote_jobs(prefix, queue, ids)
redis.call('XTRIM', events, 'MAXLEN', '~', queue.max_events)
local reply = { #ids, #ids, page[#page], page[#page - 1] }
remember(sender, number, reply)
return reply
