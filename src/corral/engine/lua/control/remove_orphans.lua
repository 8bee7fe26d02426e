#!lua flags=allow-oom
--- Remove the keys of jobs that are in no state and have not been touched since somebody looked. While the lists are
--- short they are looked through once more; of long ones the caller has read every id since the mark was made.
--- @key wait    list  ready ids, next at the tail
--- @key paused  list  ready ids of a paused queue (BullMQ 5)
--- @key active  list  job ids that workers hold
--- @include lib/clock
--- @include lib/erase_jobs
--- @include lib/orphan_mark
--- @arg prefix   string   what every key of the queue begins with
--- @arg now      string   milliseconds, or empty for the server's time
--- @arg search   integer  how many ids to look through at most
--- @rest orphans  two strings each: job id, mark
--- @event waiting delayed
--- @return how many were removed
--- BullMQ: removeOrphanedJobs
local now_ms = clock(now)
local lists, listed, length = { wait, paused, active }, {}, 0
for _, list in ipairs(lists) do
  length = length + redis.call('LLEN', list)
end
if length <= search then
  for _, list in ipairs(lists) do
    for _, job_id in ipairs(redis.call('LRANGE', list, 0, -1)) do
      listed[job_id] = true
    end
  end
end
local going = {}
for at = orphans, #ARGV, 2 do
  local job_id = ARGV[at]
  if not listed[job_id] and orphan_mark(prefix, job_id) == ARGV[at + 1] then
    going[#going + 1] = job_id
  end
end
erase_jobs(prefix, going, now_ms, false)
return #going
