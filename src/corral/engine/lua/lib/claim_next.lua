--- Promote what is due, then start up to `run.wanted` jobs. Returns the started jobs, the ms until a rate limit
--- ends (0: none stopped it) and when the next delayed job is due (0: none known, or not asked because jobs were found).
--- `run.unprepared` gets the schedules that want their next times. A run that ended for its schedule's next one
--- (`run.ended`) leaves its place to whoever is ready; where this call has started it, it is not handed out.
---
--- Of ids that nothing starts for (no job, old wake-up tokens) some hundreds are dropped; then a token brings the next
--- claim.
--- @key active  list  job ids that workers hold
--- @include lib/first_due
--- @include lib/pass_baton
--- @include lib/promote_due
--- @include lib/room_to_start
--- @include lib/take_ready
--- @include lib/start_job
local MOST_DROPPED = 500

--- Take a job out of `started`; nil when it is not in there.
local function take_back(started, job_id)
  for at, job in ipairs(started) do
    if job[14] == job_id then
      return table.remove(started, at)
    end
  end
end

--- How much of the rate a job uses. One that only carries its own failure (`defa`) does not run, so it uses none.
local function cost_of(job)
  return job and not job[10] and 1 or 0
end

local function claim_next(prefix, queue, run, rate, now)
  promote_due(prefix, queue, now)
  local room, left, limited_ms = room_to_start(queue, run, rate)
  local started, counted = {}, 0
  local taken, exhausted = 0, false
  while not exhausted do
    local asked = math.min(run.wanted - #started, room - #started, left - counted)
    if asked <= 0 then
      break
    end
    if taken - #started >= MOST_DROPPED then
      pass_baton(queue)
      break
    end
    local ids = take_ready(asked)
    taken = taken + #ids
    exhausted = #ids < asked
    run.taken = ids
    for _, job_id in ipairs(ids) do
      local marker_of_v4 = string.sub(job_id, 1, 2) == '0:'
      local job = nil
      if marker_of_v4 then
        redis.call('LREM', active, 1, job_id)
      else
        job = start_job(prefix, queue, job_id, run, now)
      end
      if run.ended then
        local withdrawn = take_back(started, run.ended)
        counted = counted - cost_of(withdrawn)
        room = room + (withdrawn and 0 or 1)
        run.ended = nil
      end
      if job then
        started[#started + 1] = job
        counted = counted + cost_of(job)
      end
    end
  end
  local until_next = count_starts(rate, counted)
  if #started < run.wanted and limited_ms == 0 then
    limited_ms = until_next
  end
  local next_due = 0
  if #started == 0 and limited_ms == 0 then
    next_due = first_due()
  end
  return started, limited_ms, next_due
end
