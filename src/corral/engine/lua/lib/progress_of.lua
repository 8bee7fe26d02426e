--- How far a schedule has come: the number of the iteration made last, whether that has begun, and whether none follows.
--- @include lib/fields_of
--- @include lib/options_of
--- @include lib/read_schedule
--- @include lib/run_after
local function progress_of(prefix, schedule, now)
  if not schedule.next_run then
    return number_of(schedule, {}), false, false
  end
  local kept = fields_of(prefix .. schedule.job_id, 'ats', 'opts', 'name')
  local count = number_of(schedule, options_of(kept[2]))
  local has_begun = kept[1] or schedule.notes.begun == schedule.next_run
  if not has_begun and (kept[3] or schedule.next_run > now) then
    return count, false, false
  end
  return count, has_begun, run_after(schedule, schedule.next_run, count + 1, now) == false
end

--- The number of the iteration that has not begun. One that has ended begins to count anew.
local function next_number(prefix, schedule, now)
  local count, has_begun, is_over = progress_of(prefix, schedule, now)
  return is_over and 1 or count + (has_begun and 1 or 0)
end
