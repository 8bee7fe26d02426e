--- A schedule whose pending iteration is in no state gets it again; one whose iteration has begun and that has no next
--- one gets the next. Returns whether times must be prepared for it first, or whether it cannot go on.
--- @key delayed           zset  job ids by due time
--- @key prioritized       zset  job ids by priority, then arrival
--- @key waiting_children  zset  parents that wait for their children
--- @key wait              list  ready ids, next at the tail
--- @key paused            list  ready ids of a paused queue (BullMQ 5)
--- @key active            list  job ids that workers hold
--- @include lib/fields_of
--- @include lib/make_iteration
--- @include lib/make_next
--- @include lib/options_of
--- @include lib/place_job
--- @include lib/priority_of
--- @include lib/read_schedule
--- @include lib/run_after
local MOST_LISTED = 20000

--- Whether a job stands in a line. They are read once in a call (`lines`, empty at first): to search them for each
--- schedule would take too long. Where more than 20,000 stand in line, any job counts as one of them.
local function is_in_line(lines, job_id)
  if not lines.seen then
    local length = redis.call('LLEN', active) + redis.call('LLEN', wait) + redis.call('LLEN', paused)
    lines.seen, lines.is_long = {}, length > MOST_LISTED
    for _, line in ipairs(lines.is_long and {} or { active, wait, paused }) do
      for _, listed in ipairs(redis.call('LRANGE', line, 0, -1)) do
        lines.seen[listed] = true
      end
    end
  end
  return lines.is_long or lines.seen[job_id]
end

local function is_somewhere(lines, job_id)
  return redis.call('ZSCORE', delayed, job_id) or redis.call('ZSCORE', prioritized, job_id)
    or redis.call('ZSCORE', waiting_children, job_id) or is_in_line(lines, job_id)
end

local function continue_schedule(prefix, queue, schedule_id, lines, now)
  local schedule = read_schedule(prefix, schedule_id)
  if not schedule or not schedule.next_run then
    return schedule ~= nil
  end
  local due = schedule.next_run
  local kept = fields_of(prefix .. schedule.job_id, 'ats', 'opts', 'name', 'priority')
  if kept[1] then
    local opts = options_of(kept[2])
    return make_next(prefix, queue, schedule, opts, number_of(schedule, opts) + 1, now)
  end
  if kept[3] then
    if not is_somewhere(lines, schedule.job_id) then
      local job = { delay = math.max(0, due - now), priority = priority_of(kept[4]), front = false }
      place_job(queue, schedule.job_id, job, now)
    end
    return false
  end
  if redis.call('EXISTS', prefix .. schedule.job_id) == 1 then
    return false
  end
  local opts, count = options_of(schedule.opts), number_of(schedule, {})
  if schedule.notes.begun == due then
    return make_next(prefix, queue, schedule, opts, count + 1, now)
  end
  if due <= now then
    if schedule.notes.missed == 'skip' then
      return pass_over(prefix, queue, schedule, opts, count, now)
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
