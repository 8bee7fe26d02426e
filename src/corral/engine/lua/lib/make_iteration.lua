--- Make an iteration of a schedule: a job with the schedule's name and data and the options of the one before (`opts`,
--- decoded), due at `time`. It becomes the pending one.
--- @key id       string  job ids handed out
--- @key repeat_  zset    schedules by next iteration
--- @include lib/pending_id
--- @include lib/place_job
--- @include lib/priority_of
--- @include lib/store_job
--- @include lib/word
local function drop_unwritable(options)
  for name, value in pairs(options) do
    if not pcall(cjson.encode, value) then
      options[name] = nil
    end
  end
end

local function written(opts)
  local done, text = pcall(cjson.encode, opts)
  if not done then
    -- Some of what another client wrote can be read but not be written again (NaN): it is left out.
    drop_unwritable(opts['repeat'])
    drop_unwritable(opts)
    text = cjson.encode(opts)
  end
  return text
end

local function make_iteration(prefix, queue, schedule, opts, time, count, now)
  local job_id = iteration_id(schedule.id, time)
  local rule = type(opts['repeat']) == 'table' and opts['repeat'] or {}
  rule.count, rule.pattern, rule.every, rule.tz = count, schedule.pattern, schedule.every, schedule.tz
  rule.limit, rule.startDate, rule.endDate = schedule.limit, schedule.start_ms, schedule.end_ms
  local delay = math.max(0, time - now)
  opts['repeat'], opts.repeatJobKey, opts.jobId, opts.timestamp, opts.delay = rule, schedule.id, job_id, now, delay
  opts.prevMillis = schedule.pattern and time or nil
  local deduplication_id = type(opts.de) == 'table' and opts.de.id
  local job = {
    name = schedule.name, data = schedule.data, opts = written(opts), delay = delay,
    priority = priority_of(opts.priority), front = opts.lifo == true, schedule_id = schedule.id,
    deduplication_id = type(deduplication_id) == 'string' and deduplication_id or nil,
  }
  redis.pcall('INCR', id)
  store_job(prefix, job_id, job, word(now))
  place_job(queue, job_id, job, now)
  redis.call('ZADD', repeat_, word(time), schedule.id)
end
