#!lua flags=allow-oom
--- Read schedules: those of these ids, or a page of all in the order of their next iterations.
--- @key repeat_  zset  schedules by next iteration
--- @include lib/clock
--- @include lib/progress_of
--- @include lib/read_schedule
--- @arg prefix  string   what every key of the queue begins with
--- @arg now     string   milliseconds, or empty for the server's time
--- @arg first   integer  of the page, from 0
--- @arg last    integer  of the page; before `first`: none
--- @rest ids    schedules to read
--- @return now, how many schedules there are, schedules (nineteen fields each; false: not said, or not to be read)
--- BullMQ: getJobScheduler
local now_ms = clock(now)
local wanted = last >= first and redis.call('ZRANGE', repeat_, first, last) or {}
for at = ids, #ARGV do
  wanted[#wanted + 1] = ARGV[at]
end
local rows = {}
for _, schedule_id in ipairs(wanted) do
  local schedule = read_schedule(prefix, schedule_id)
  if schedule then
    local notes = schedule.notes
    local count, _, is_over = progress_of(prefix, schedule, now_ms)
    rows[#rows + 1] = {
      schedule.id, schedule.next_run or false, schedule.name, schedule.data, schedule.opts, schedule.pattern or false,
      schedule.tz or false, schedule.every or false, schedule.offset, schedule.limit or false,
      schedule.start_ms or false, schedule.end_ms or false, schedule.made, notes.missed,
      notes.missed_limit, notes.overlap, schedule.rule, count, is_over and 1 or 0,
    }
  end
end
return { now_ms, redis.call('ZCARD', repeat_), rows }
