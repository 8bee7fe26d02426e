--- A schedule whose pending iteration is in no state gets it again; one whose iteration has begun and that has no next
--- one gets the next. Returns whether times must be prepared for it first.
--- @key delayed           zset  job ids by due time
--- @key prioritized       zset  job ids by priority, then arrival
--- @key waiting_children  zset  parents that wait for their children
--- @key wait              list  ready ids, next at the tail
--- @key paused            list  ready ids of a paused queue (BullMQ 5)
--- @key active            list  job ids that workers hold
--- @include lib/fields_of
--- @include lib/make_iteration
--- @include lib/make_next
--- @include lib/place_job
--- @include lib/read_schedule
--- @include lib/run_after
--- @include lib/stored_options
local FAR = 20000

--- Whether a job is in a state. A line is searched from both ends, 20,000 ids deep: a job that may stand further in
--- counts as there.
local function is_somewhere(job_id)
  if redis.call('ZSCORE', delayed, job_id) or redis.call('ZSCORE', prioritized, job_id)
    or redis.call('ZSCORE', waiting_children, job_id) then
    return true
  end
  for _, line in ipairs({ active, wait, paused }) do
    if redis.call('LPOS', line, job_id, 'MAXLEN', FAR) or redis.call('LPOS', line, job_id, 'RANK', -1, 'MAXLEN', FAR)
      or redis.call('LLEN', line) > 2 * FAR then
      return true
    end
  end
  return false
end

local function continue_schedule(prefix, queue, schedule_id, now)
  local schedule = read_schedule(prefix, schedule_id)
  if not schedule then
    return false
  end
  local due = schedule.next_run
  local kept = fields_of(prefix .. schedule.job_id, 'ats', 'opts', 'name', 'priority')
  if kept[1] then
    local opts = decoded(kept[2])
    return (make_next(prefix, queue, schedule, opts, count_of(opts) + 1, now))
  end
  if kept[3] then
    if not is_somewhere(schedule.job_id) then
      local job = { delay = math.max(0, due - now), priority = tonumber(kept[4] or 0) or 0, front = false }
      place_job(queue, schedule.job_id, job, now)
    end
    return false
  end
  if redis.call('EXISTS', prefix .. schedule.job_id) == 1 then
    return false
  end
  local opts, count = decoded(schedule.opts), schedule.made - (schedule.notes.made_before or 0)
  if schedule.notes.begun == due then
    return (make_next(prefix, queue, schedule, opts, count + 1, now))
  end
  if due <= now then
    if schedule.notes.missed == 'skip' then
      return (make_next(prefix, queue, schedule, opts, count, now))
    end
    -- The last one of a schedule that has ended may have been trimmed, so it is not made again.
    local following = run_after(schedule, due, count + 1, now)
    if not following then
      return following == nil
    end
  end
  make_iteration(prefix, queue, schedule, opts, due, count, now)
  return false
end
