#!lua flags=allow-oom
--- Read schedules: those of these ids, or a page of all in the order of their next iterations.
--- @key repeat_  zset  schedules by next iteration
--- @include lib/clock
--- @include lib/fields_of
--- @include lib/options_of
--- @include lib/read_schedule
--- @include lib/run_after
--- @arg prefix  string   what every key of the queue begins with
--- @arg now     string   milliseconds, or empty for the server's time
--- @arg first   integer  of the page, from 0
--- @arg last    integer  of the page; before `first`: none
--- @rest ids    schedules to read
--- @return now, how many schedules there are, schedules (nineteen fields each; false: not said, or not to be read)
--- BullMQ: getJobScheduler
local now_ms = clock(now)

--- The number of the iteration made last, and whether none follows it.
local function count_and_end(schedule)
  if not schedule.next_run then
    return number_of(schedule, {}), 0
  end
  local kept = fields_of(prefix .. schedule.job_id, 'ats', 'opts', 'name')
  local count = number_of(schedule, options_of(kept[2]))
  local has_begun = kept[1] or schedule.notes.begun == schedule.next_run
  if not has_begun and (kept[3] or schedule.next_run > now_ms) then
    return count, 0
  end
  return count, run_after(schedule, schedule.next_run, count + 1, now_ms) == false and 1 or 0
end

local wanted = last >= first and redis.call('ZRANGE', repeat_, first, last) or {}
for at = ids, #ARGV do
  wanted[#wanted + 1] = ARGV[at]
end
local rows = {}
for _, schedule_id in ipairs(wanted) do
  local schedule = read_schedule(prefix, schedule_id)
  if schedule then
    local notes = schedule.notes
    local count, is_over = count_and_end(schedule)
    rows[#rows + 1] = {
      schedule.id, schedule.next_run or false, schedule.name, schedule.data, schedule.opts, schedule.pattern or false,
      schedule.tz or false, schedule.every or false, schedule.offset, schedule.limit or false,
      schedule.start_ms or false, schedule.end_ms or false, schedule.made, notes.missed,
      notes.missed_limit, notes.overlap, schedule.rule, count, is_over,
    }
  end
end
return { now_ms, redis.call('ZCARD', repeat_), rows }
