--- A delayed job that may wait for its turn leaves the line of its singleton key, because it is to run at a time that
--- somebody has given, or never. Where it was the first, the next one looks when the lock of the holder ends.
--- @key aside    zset  prefix of the lines, one a singleton key: job ids by arrival
--- @include lib/delay_job
--- @include lib/fields_of
--- @include lib/first_aside
--- @include lib/holder_of
--- @include lib/wake_when_due
local function leave_aside(prefix, job_id, now)
  local key = fields_of(prefix .. job_id, 'corral.singleton')[1]
  local place = key and redis.call('ZRANK', aside .. key, job_id)
  if not place then
    return
  end
  redis.call('ZREM', aside .. key, job_id)
  local _, left = holder_of(prefix, key)
  local first, is_delayed = nil, false
  if place == 0 and left then
    first, is_delayed = first_aside(prefix, key)
  end
  if is_delayed then
    delay_job(first, now + left)
    wake_when_due()
  end
end
