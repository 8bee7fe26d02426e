--- An iteration of a schedule is about to start: the next one is made in the same step, and the schedule's policies
--- decide whether this one runs at all. Returns whether it does. `run.unprepared` collects schedules that need times,
--- `run.ended` is the run that ended for it.
---
--- Only the pending iteration does this, so a second attempt or a recovered run makes no second successor.
--- @key active     list    job ids that workers hold
--- @key events     stream
--- @include lib/fields_of
--- @include lib/job_keys
--- @include lib/make_next
--- @include lib/options_of
--- @include lib/read_schedule
--- @include lib/run_after
--- @include lib/supersede
local function is_under_way(prefix, job_id)
  local kept = fields_of(prefix .. job_id, 'ats', 'finishedOn')
  return kept[1] and not kept[2]
end

local function is_passed_over(prefix, schedule, now)
  local notes = schedule.notes
  return notes.missed == 'skip' and is_missed(schedule, now)
    or notes.overlap == 'skip' and notes.running and is_under_way(prefix, notes.running)
end

local function leave_out(prefix, job_id)
  redis.call('LREM', active, 1, job_id)
  redis.call('DEL', unpack(job_keys({}, prefix .. job_id)))
  redis.call('XADD', events, '*', 'event', 'removed', 'jobId', job_id, 'prev', 'waiting')
end

--- Whether it is for the schedule's own policy to say what happens, because what stands in the way of this iteration is
--- the run before it.
local function is_for_overlap(prefix, job_id, schedule_id, holder)
  local schedule = holder and read_schedule(prefix, schedule_id)
  return schedule and schedule.job_id == job_id and schedule.notes.overlap ~= 'allow'
    and schedule.notes.running == holder
end

local function begin_iteration(prefix, queue, run, job_id, job, now)
  local schedule = read_schedule(prefix, job[11])
  if not schedule or schedule.job_id ~= job_id then
    return true
  end
  local notes, opts = schedule.notes, options_of(job[3])
  local is_first_start, count = not job[4], number_of(schedule, opts)
  local passed_over, unprepared = is_first_start and is_passed_over(prefix, schedule, now), nil
  if passed_over then
    leave_out(prefix, job_id)
    unprepared = pass_over(prefix, queue, schedule, opts, count, now)
  else
    unprepared = make_next(prefix, queue, schedule, opts, count + 1, now)
  end
  if unprepared then
    run.unprepared[#run.unprepared + 1] = schedule.id
  end
  if not passed_over and notes.overlap ~= 'allow' then
    if notes.overlap == 'cancel_running' and notes.running and notes.running ~= job_id
      and supersede(prefix, queue, notes.running, job_id, now) then
      run.ended = notes.running
    end
    notes.running = job_id
    keep_notes(schedule)
  end
  return not passed_over
end
