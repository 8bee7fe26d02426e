#!lua flags=allow-oom
--- Note the next times of a cron pattern, and make the next iteration where that waited for them.
--- @include lib/clock
--- @include lib/continue_schedule
--- @include lib/read_queue
--- @include lib/read_schedule
--- @arg prefix       string   what every key of the queue begins with
--- @arg now          string   milliseconds, or empty for the server's time
--- @arg schedule_id  string
--- @arg rule         string   what the times were computed for
--- @arg since        integer  from when on the times are known
--- @arg complete     integer  1: there are no times after these
--- @rest times       the next times of the pattern after `since`, in milliseconds
--- @event added waiting delayed duplicated
--- @return 1, or 0 when the schedule is gone or has another rule now
--- BullMQ: updateJobSchedulerNextMillis
local schedule = read_schedule(prefix, schedule_id)
if not schedule or schedule.rule ~= rule then
  return 0
end
local notes = schedule.notes
notes.rule, notes.since, notes.complete, notes.times = rule, since, complete == 1, {}
for at = times, #ARGV do
  notes.times[#notes.times + 1] = tonumber(ARGV[at])
end
keep_notes(schedule)
continue_schedule(prefix, read_queue(), schedule_id, {}, (clock(now)))
return 1
