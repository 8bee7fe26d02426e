--- When the next iteration of a schedule is: a time, false when the schedule has ended, nil when that must be computed
--- outside (a cron pattern without prepared times from there on). The second value says that times run low.
---
--- `previous` is the time of the iteration before, `count` the number of the one asked for. What was missed is passed
--- over, unless the schedule makes up for it (run_all): then the latest `missed_limit` of what came due since `previous`
--- run one by one.
local LOW = 4
local LATEST = 253402300799999  -- the year 9999 ends: later times are none that every client can read

--- The first time of the grid after now.
local function slot_after(every, offset, now)
  local slot = math.floor(now / every) * every + offset
  return slot <= now and slot + every or slot
end

local function every_after(schedule, previous, now)
  local following = previous + schedule.every
  if following >= now then
    return following
  end
  if schedule.notes.missed == 'run_all' then
    local missed = math.floor((now - previous) / schedule.every)
    local made_up = math.min(missed, schedule.notes.missed_limit)
    return previous + schedule.every * (missed - made_up + 1)
  end
  return slot_after(schedule.every, schedule.offset, now)
end

local function prepared_after(schedule, previous, now)
  local notes = schedule.notes
  local makes_up = notes.missed == 'run_all'
  local base = math.max(makes_up and previous or math.max(previous, now), schedule.start_ms or 0)
  if not notes.times or notes.rule ~= schedule.rule or base < notes.since then
    return nil, true
  end
  local later, missed = {}, 0
  for _, time in ipairs(notes.times) do
    if time > base then
      later[#later + 1] = time
      missed = missed + (time <= now and 1 or 0)
    end
  end
  if missed == #later and not notes.complete then
    return nil, true
  end
  local at = makes_up and math.max(1, missed - notes.missed_limit + 1) or 1
  return later[at] or false, not notes.complete and #later - at < LOW
end

--- Whether a schedule has ended when it is `time`.
local function ends_before(schedule, time)
  return time > math.min(schedule.end_ms or LATEST, LATEST)
end

local function run_after(schedule, previous, count, now)
  if schedule.limit and count > schedule.limit or ends_before(schedule, now) then
    return false
  end
  local following, low
  if schedule.every then
    following = every_after(schedule, previous, now)
  else
    following, low = prepared_after(schedule, previous, now)
  end
  if following and ends_before(schedule, following) then
    return false
  end
  return following, low
end

--- Whether the pending iteration was missed: the one after it is due already.
local function is_missed(schedule, now)
  local due = schedule.next_run
  if schedule.every then
    return due + schedule.every <= now
  end
  for _, time in ipairs(schedule.notes.times or {}) do
    if time > due and time <= now then
      return true
    end
  end
  return false
end
