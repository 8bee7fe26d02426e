--- A schedule as it is stored: BullMQ's hash, the time of its pending iteration, and Corral's notes beside them
--- (policies, prepared times). Nil where there is none, and for the repeatable jobs of old BullMQ versions, which have
--- no count of iterations (`ic`).
---
--- Any program may have written any of this: what cannot be read counts as not said. Without a time (`next_run`), or
--- without both `pattern` and `every`, a schedule makes nothing until somebody stores it again.
---
--- Notes: missed (run_once, skip, run_all), missed_limit, overlap (allow, skip, cancel_running); of a cron pattern
--- the prepared times `times`, which are all there are after `since`, for the rule `rule`, and `complete` when none
--- come after them; `begun`, the iteration that began and has no next one; `running`, the one that began last;
--- `made_before`, how many do not count for the limit.
--- @key repeat_    zset  schedules by next iteration
--- @key schedules  hash  what Corral notes of each schedule
--- @include lib/fields_of
--- @include lib/pending_id
--- @include lib/whole
local MISSED = { skip = 'skip', run_all = 'run_all' }
local OVERLAP = { skip = 'skip', cancel_running = 'cancel_running' }

local function rule_of(pattern, tz, start_ms, end_ms)
  return table.concat({ pattern or '', tz or '', start_ms or '', end_ms or '' }, '\n')
end

local function times_in(kept)
  local times = type(kept) == 'table' and {} or nil
  for at, time in ipairs(times and kept or {}) do
    times[at] = whole(time)
    if not times[at] then
      return nil
    end
  end
  return times
end

local function read_notes(schedule_id)
  local read, kept = pcall(cmsgpack.unpack, redis.pcall('HGET', schedules, schedule_id))
  kept = read and type(kept) == 'table' and kept or {}
  local since = whole(kept.since)
  return {
    missed = MISSED[kept.missed] or 'run_once', missed_limit = math.max(1, whole(kept.missed_limit) or 1),
    overlap = OVERLAP[kept.overlap] or 'allow', rule = type(kept.rule) == 'string' and kept.rule or nil,
    since = since, times = since and times_in(kept.times), complete = kept.complete == true, begun = whole(kept.begun),
    running = type(kept.running) == 'string' and kept.running or nil, made_before = whole(kept.made_before) or 0,
  }
end

local function keep_notes(schedule)
  local packed = cmsgpack.pack(schedule.notes)
  if type(redis.pcall('HSET', schedules, schedule.id, packed)) == 'table' then
    -- No hash: somebody has put something in the place of the notes of all.
    redis.call('DEL', schedules)
    redis.call('HSET', schedules, schedule.id, packed)
  end
end

--- The number of the iteration made last: it stands in its options (`opts`), as long as there are any.
local function number_of(schedule, opts)
  local count = type(opts['repeat']) == 'table' and whole(opts['repeat'].count)
  return count or schedule.made - schedule.notes.made_before
end

local function read_schedule(prefix, schedule_id)
  local score = redis.pcall('ZSCORE', repeat_, schedule_id)
  local kept = type(score) == 'string' and fields_of(prefix .. 'repeat:' .. schedule_id, 'name', 'data', 'opts',
    'pattern', 'tz', 'every', 'offset', 'limit', 'startDate', 'endDate', 'ic') or {}
  if not kept[11] then
    return nil
  end
  local next_run, every = whole(score), not kept[4] and whole(kept[6]) or 0
  return {
    id = schedule_id, next_run = next_run, job_id = next_run and iteration_id(schedule_id, next_run),
    name = kept[1] or schedule_id, data = kept[2] or '{}', opts = kept[3] or '{}', pattern = kept[4] or nil,
    tz = kept[5] or nil, every = every > 0 and every or nil, offset = every > 0 and (whole(kept[7]) or 0) % every or 0,
    limit = whole(kept[8]), start_ms = whole(kept[9]), end_ms = whole(kept[10]), made = whole(kept[11]) or 1,
    rule = rule_of(kept[4], kept[5], kept[9], kept[10]), notes = read_notes(schedule_id),
  }
end
