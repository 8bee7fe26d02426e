#!lua flags=allow-oom
--- Read schedules: those of these ids, or a page of all in the order of their next iterations.
--- @key repeat_  zset  schedules by next iteration
--- @include lib/clock
--- @include lib/fields_of
--- @include lib/read_schedule
--- @include lib/run_after
--- @include lib/stored_options
--- @arg prefix  string   what every key of the queue begins with
--- @arg now     string   milliseconds, or empty for the server's time
--- @arg first   integer  of the page, from 0
--- @arg last    integer  of the page; before `first`: none
--- @rest ids    schedules to read
--- @return now, how many schedules there are, schedules (nineteen fields each)
--- BullMQ: getJobScheduler
local now_ms = clock(now)

--- The number of the iteration made last, and whether none follows it.
local function count_and_end(schedule)
  local kept = fields_of(prefix .. schedule.job_id, 'ats', 'opts', 'name')
  local count = kept[2] and count_of(decoded(kept[2])) or schedule.made - (schedule.notes.made_before or 0)
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
      schedule.id, schedule.next_run, schedule.name, schedule.data, schedule.opts, schedule.pattern or false,
      schedule.tz or false, schedule.every or false, schedule.offset, schedule.limit or false,
      schedule.start_ms or false, schedule.end_ms or false, schedule.made, notes.missed or 'run_once',
      notes.missed_limit or 1, notes.overlap or 'allow', schedule.rule, count,
      is_over,
    }
  end
end
return { now_ms, redis.call('ZCARD', repeat_), rows }
