#!lua flags=allow-oom
--- Claim ready jobs to run them.                               waiting | prioritized | delayed (due) → active
--- @include lib/clock
--- @include lib/read_queue
--- @include lib/sent
--- @include lib/claim_next
--- @include lib/claimed_before
--- @include lib/pass_baton
--- @arg prefix   string   what every key of the queue begins with
--- @arg now      string   milliseconds, or empty for the server's time
--- @arg sender   string   the worker's name for this line of calls
--- @arg number   string   the sender's number of this call: a call sent again gives the same jobs
--- @arg wanted   integer  free slots
--- @arg token    string   written to the lock of each job
--- @arg lock_ms  string   how long the locks last
--- @arg worker   string   name of the worker, stored as `pb`
--- @event active waiting failed
--- @return now, ms until a rate limit ends, due time of the next delayed job, jobs (fourteen fields each)
--- BullMQ: moveToActive
local done = recall(sender, number)
local now_ms, now_text = clock(now)
if done then
  return { now_ms, 0, 0, claimed_before(prefix, done, token, lock_ms) }
end
local queue = read_queue()
local run = { wanted = wanted, token = token, lock_ms = lock_ms, worker = worker, now_text = now_text }
local jobs, limited_ms, next_due = claim_next(prefix, queue, run, now_ms)
if #jobs == wanted then
  pass_baton(queue)
end
if #jobs > 0 then
  remember(sender, number, to_remember(jobs))
end
return { now_ms, limited_ms, next_due, jobs }
