#!lua
--- Add jobs to a queue.                                        nothing → waiting | prioritized | delayed
--- @key id       string  job ids handed out
--- @key wait     list    ready ids, next at the tail
--- @key paused   list    ready ids of a paused queue (BullMQ 5)
--- @key events   stream
--- @include lib/check_kinds
--- @include lib/clock
--- @include lib/open_queue
--- @include lib/sent
--- @include lib/in_chunks
--- @include lib/store_job
--- @include lib/place_job
--- @include lib/deduplicate
--- @include lib/wake
--- @include lib/word
--- @arg prefix   string   what every key of the queue begins with
--- @arg now      string   milliseconds, or empty for the server's time
--- @arg sender   string   who calls, or empty when the call is never sent again
--- @arg number   string   the sender's number of this call
--- @arg library  string   written to meta.version where there is none
--- @rest jobs    nine strings a job: id, flags (c: the id is the caller's, l: lifo), name, data, opts, delay (ms),
---               due (ms since the epoch, or empty), priority, deduplication (JSON, or empty)
--- @event added waiting delayed duplicated deduplicated removed failed
--- @event completed retries-exhausted
--- @return one entry a job: 0 added, 1 its id exists already, or the id of the job that it was deduplicated into
--- BullMQ: addStandardJob, addDelayedJob, addPrioritizedJob
local done = recall(sender, number)
if done then
  return done
end
local rules = {}
for at = jobs, #ARGV, 9 do
  if ARGV[at + 8] ~= '' then
    rules[at] = cjson.decode(ARGV[at + 8])
  end
end
if next(rules) or is_outbox(sender) then
  check_kinds(rules)
end
local now_ms, now_text = clock(now)
local queue = open_queue(library)
begin(sender, number)
redis.call('INCRBY', id, word((#ARGV - jobs + 1) / 9))

local reply, ready = {}, {}
local job = {}  -- one table, filled anew for each job

local function line_up()
  if #ready > 0 then
    in_chunks('LPUSH', queue.parks and paused or wait, ready)
    wake(queue)
  end
  ready = {}
end

for at = jobs, #ARGV, 9 do
  local job_id, flags, rule = ARGV[at], ARGV[at + 1], rules[at]
  job.name, job.data, job.opts = ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  job.delay, job.priority = tonumber(ARGV[at + 5]), tonumber(ARGV[at + 7])
  job.front = flags ~= '' and string.find(flags, 'l', 1, true) ~= nil
  job.deduplication_id, job.placed = nil, nil
  if ARGV[at + 6] ~= '' then
    job.delay = math.max(0, tonumber(ARGV[at + 6]) - now_ms)
  end
  local answer = 0
  if flags ~= '' and string.find(flags, 'c', 1, true) and redis.call('EXISTS', prefix .. job_id) == 1 then
    redis.call('XADD', events, '*', 'event', 'duplicated', 'jobId', job_id)
    answer = 1
  elseif rule then
    job.deduplication_id = rule.id
    if rule.supersedes then
      line_up()  -- its owner may be one of those before it
    end
    answer = deduplicate(prefix, queue, rule, job_id, job, now_ms) or 0
  end
  if answer == 0 then
    store_job(prefix, job_id, job, now_text)
    if job.placed then
      redis.call('XADD', events, '*', 'event', 'waiting', 'jobId', job_id)
      wake(queue)
    elseif job.delay > 0 or job.priority > 0 or job.front then
      place_job(queue, job_id, job, now_ms)
    else
      ready[#ready + 1] = job_id
      redis.call('XADD', events, '*', 'event', 'waiting', 'jobId', job_id)
    end
  end
  reply[#reply + 1] = answer
end
line_up()
redis.call('XTRIM', events, 'MAXLEN', '~', queue.max_events)
remember(sender, number, reply)
return reply
