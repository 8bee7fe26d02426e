--- Promote what is due, then start up to `run.wanted` jobs. Returns the started jobs, the ms until a rate limit
--- ends (0: none stopped it) and when the next delayed job is due (0: none known, or not asked because jobs were found).
--- `run.unprepared` gets the schedules that want their next times. A run that ended for its schedule's next one leaves
--- its place (`run.freed`) to whoever is ready.
--- @key delayed  zset  job ids by due time
--- @key active   list  job ids that workers hold
--- @include lib/promote_due
--- @include lib/room_to_start
--- @include lib/take_ready
--- @include lib/start_job
local function claim_next(prefix, queue, run, rate, now)
  promote_due(prefix, queue, now)
  local room, left, limited_ms = room_to_start(queue, run, rate)
  local started, counted = {}, 0
  local exhausted = false
  run.freed = 0
  while not exhausted do
    local asked = math.min(run.wanted - #started, room + run.freed - #started, left - counted)
    if asked <= 0 then
      break
    end
    local ids = take_ready(asked)
    exhausted = #ids < asked
    for _, job_id in ipairs(ids) do
      local marker_of_v4 = string.sub(job_id, 1, 2) == '0:'
      local job = nil
      if marker_of_v4 then
        redis.call('LREM', active, 1, job_id)
      else
        job = start_job(prefix, queue, job_id, run, now)
      end
      if job then
        started[#started + 1] = job
        -- A job that only carries its own failure (`defa`) does not run, so it does not count against the rate.
        if not job[10] then
          counted = counted + 1
        end
      end
    end
  end
  local until_next = count_starts(rate, counted)
  if #started < run.wanted and limited_ms == 0 then
    limited_ms = until_next
  end
  local next_due = 0
  if #started == 0 and limited_ms == 0 then
    local first = redis.call('ZRANGE', delayed, '0', '0', 'WITHSCORES')
    next_due = first[2] and math.floor(first[2] / 4096) or 0
  end
  return started, limited_ms, next_due
end
