--- A running job goes to wait for the children that it has added to itself. When all of them have ended meanwhile there
--- is nothing to wait for, and it runs again at once. Spends no attempt.
--- @key waiting_children  zset    parents that wait for their children
--- @key events            stream
--- @include lib/fields_of
--- @include lib/word
local function refusal_to_wait(job_key)
  if redis.call('EXISTS', job_key .. ':unsuccessful') == 1 then
    return -9
  end
  local has_had = redis.call('EXISTS', job_key .. ':dependencies', job_key .. ':processed', job_key .. ':failed') > 0
    or fields_of(job_key, 'children')[1]
  return not has_had and -21 or nil
end

local function waits_now(job, run, now)
  if redis.call('EXISTS', job.key .. ':dependencies') == 0 then
    return false
  end
  redis.call('ZADD', waiting_children, word(now), run.id)
  redis.call('XADD', events, '*', 'event', 'waiting-children', 'jobId', run.id, 'prev', 'active')
  return true
end
