--- A schedule as it is stored: BullMQ's hash, the time of its pending iteration, and Corral's notes beside them
--- (policies, prepared times). Nil where there is none, and for the repeatable jobs of old BullMQ versions, which have
--- no count of iterations (`ic`).
---
--- Notes: missed (run_once, skip, run_all), missed_limit, overlap (allow, skip, cancel_running); of a cron pattern
--- the prepared times `times`, which are all there are after `since`, for the rule `rule`, and `complete` when none
--- come after them; `begun`, the iteration that began while the next was not known; `running`, the one that began last.
--- @key repeat_    zset  schedules by next iteration
--- @key schedules  hash  what Corral notes of each schedule
--- @include lib/fields_of
--- @include lib/word
local function rule_of(pattern, tz, start_ms, end_ms)
  return table.concat({ pattern or '', tz or '', start_ms or '', end_ms or '' }, '\n')
end

local function read_notes(schedule_id)
  local packed = redis.call('HGET', schedules, schedule_id)
  local read, notes = pcall(cmsgpack.unpack, packed or '')
  return read and type(notes) == 'table' and notes or {}
end

local function keep_notes(schedule_id, notes)
  redis.call('HSET', schedules, schedule_id, cmsgpack.pack(notes))
end

local function iteration_id(schedule_id, time)
  return 'repeat:' .. schedule_id .. ':' .. word(time)
end

local function read_schedule(prefix, schedule_id)
  local score = redis.call('ZSCORE', repeat_, schedule_id)
  local kept = score and fields_of(prefix .. 'repeat:' .. schedule_id, 'name', 'data', 'opts', 'pattern', 'tz',
    'every', 'offset', 'limit', 'startDate', 'endDate', 'ic') or {}
  local every = tonumber(kept[6] or nil)
  if not kept[11] or not (kept[4] or every and every > 0) then
    return nil
  end
  local notes = read_notes(schedule_id)
  local next_run = tonumber(score)
  return {
    id = schedule_id, next_run = next_run, job_id = iteration_id(schedule_id, next_run), name = kept[1] or schedule_id,
    data = kept[2] or '{}', opts = kept[3] or '{}', pattern = kept[4] or nil, tz = kept[5] or nil,
    every = not kept[4] and every or nil, offset = tonumber(kept[7] or nil) or 0, limit = tonumber(kept[8] or nil),
    start_ms = tonumber(kept[9] or nil), end_ms = tonumber(kept[10] or nil), made = tonumber(kept[11]) or 1,
    rule = rule_of(kept[4], kept[5], kept[9], kept[10]), notes = notes,
  }
end
