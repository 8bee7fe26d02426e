#!lua flags=allow-oom
--- Claim ready jobs to run them.                               waiting | prioritized | delayed (due) → active, and where
---                                              another job holds their singleton key → delayed | failed
--- Starting an iteration of a schedule makes the next one, and may end the one before.
--- @key limiter  string  jobs started in the current window
--- @include lib/clock
--- @include lib/read_queue
--- @include lib/sent
--- @include lib/room_to_start
--- @include lib/claim_next
--- @include lib/claimed_before
--- @include lib/pass_baton
--- @include lib/singleton_of
--- @arg prefix     string   what every key of the queue begins with
--- @arg now        string   milliseconds, or empty for the server's time
--- @arg sender     string   the worker's name for this line of calls
--- @arg number     string   the sender's number of this call: a call sent again gives the same jobs
--- @arg wanted     integer  free slots
--- @arg token      string   written to the lock of each job
--- @arg lock_ms    string   how long the locks last
--- @arg worker     string   name of the worker, stored as `pb`
--- @arg rate_max   integer  the worker's own rate limit: how many jobs may start in a window, or empty
--- @arg window_ms  integer  how long a window lasts, or empty
--- @arg singletons   string   the rules that the worker has for jobs without one of their own: JSON by job name, or empty
--- @arg max_stalled  integer  how often a job may stall
--- @event active waiting stalled completed failed added delayed duplicated removed retries-exhausted
--- @return now, ms until a rate limit ends, due time of the next delayed job, jobs (fourteen fields each), schedules
---         that want their next times
--- BullMQ: moveToActive
local done, starts_so_far = recall(sender, number, limiter)
local now_ms, now_text = clock(now)
if done then
  local held, recurring = claimed_before(prefix, done, token, lock_ms)
  return { now_ms, 0, 0, held, recurring }
end
local queue = read_queue()
local run = {
  wanted = wanted, token = token, lock_ms = lock_ms, worker = worker, now_text = now_text, unprepared = {},
  max = rate_max, window = window_ms, singletons = declared_singletons(singletons), max_stalled = max_stalled,
}
local rate = rate_of(queue, run, starts_so_far)
local jobs, limited_ms, next_due = claim_next(prefix, queue, run, rate, now_ms)
if #jobs == wanted or limited_ms > 0 and not binds_all(rate) then
  pass_baton(queue)
end
if #jobs > 0 then
  remember(sender, number, to_remember(jobs))
end
return { now_ms, limited_ms, next_due, jobs, run.unprepared }
