--- End a job: its outcome is stored, its parent hears of it, its deduplication id is free again.
--- `group` collects finished jobs of one target and retention, so that they are filed and trimmed together.
--- @key completed  zset    completed ids by time
--- @key failed     zset    failed ids by time
--- @key events     stream
--- @include lib/children
--- @include lib/word
--- @include lib/end_deduplication
--- @include lib/in_chunks
--- @include lib/job_keys
--- @include lib/note_failure
--- @include lib/trim_finished
--- @include lib/unlink_child
local function file_group(prefix, group, now)
  if group.ids and #group.ids > 0 then
    local scored, now_text = {}, word(now)
    for at, job_id in ipairs(group.ids) do
      scored[2 * at - 1] = now_text
      scored[2 * at] = job_id
    end
    in_chunks('ZADD', group.finished, scored)
    trim_finished(prefix, group.finished, group.keep_count, group.keep_age, now)
  end
  group.ids = nil
end

local function add_to_group(prefix, group, finished, run, now)
  if not group.ids or group.finished ~= finished or group.keep_count ~= run.keep_count
    or group.keep_age ~= run.keep_age then
    file_group(prefix, group, now)
    group.ids, group.finished, group.keep_count, group.keep_age = {}, finished, run.keep_count, run.keep_age
  end
  group.ids[#group.ids + 1] = run.id
end

local function tell_parent(job, run, now)
  local read, policy = pcall(cjson.decode, job.parent or '{}')
  if not read or type(policy) ~= 'table' then
    policy = {}
  end
  if run.verb == 'c' then
    child_completed(job.key, job.parent_key, run.text, now)
  else
    child_failed(job.key, job.parent_key, policy, run.text, now)
  end
end

local function finish_job(prefix, queue, job, run, group, now, now_text)
  local succeeded = run.verb == 'c'
  if not succeeded then
    note_failure(job.key, run)
  end
  if job.deduplication_id then
    end_deduplication(prefix, queue, run.id, job.deduplication_id, now)
  end
  if job.parent_key then
    -- Whatever is wrong with the parent, its child has ended.
    pcall(tell_parent, job, run, now)
  end
  local made = job.made + 1
  if run.keep_count == 0 then
    if job.parent_key then
      unlink_child(job.key, job.parent_key, now)
    end
    redis.call('DEL', unpack(job_keys({}, job.key)))
  elseif succeeded then
    add_to_group(prefix, group, completed, run, now)
    redis.call('HSET', job.key, 'returnvalue', run.text, 'finishedOn', now_text, 'atm', word(made))
  else
    add_to_group(prefix, group, failed, run, now)
    redis.call('HSET', job.key, 'finishedOn', now_text, 'atm', word(made))
    redis.call('HDEL', job.key, 'defa')
  end
  if succeeded then
    redis.call('XADD', events, '*', 'event', 'completed', 'jobId', run.id, 'returnvalue', run.text, 'prev', 'active')
  else
    redis.call('XADD', events, '*', 'event', 'failed', 'jobId', run.id, 'failedReason', run.text, 'prev',
      run.previous or 'active')
    if made >= run.amount then
      redis.call('XADD', events, '*', 'event', 'retries-exhausted', 'jobId', run.id, 'attemptsMade', made)
    end
  end
end
