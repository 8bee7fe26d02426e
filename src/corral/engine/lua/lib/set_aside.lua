--- Set a job aside whose singleton key another one holds: out of `active`, to wait for its turn among the delayed ones,
--- where every tool sees it. The first in line is due when the holder's lock ends, so that one that has died is
--- replaced then; the others far later, in case nobody ever calls them. A job set aside again keeps its place.
--- @key active  list  job ids that workers hold
--- @key aside   zset  prefix of the lines, one a singleton key: job ids by arrival
--- @include lib/delay_job
--- @include lib/first_aside
--- @include lib/wake_when_due
--- @include lib/word
local UNCALLED_MS = 3600000

local function set_aside(prefix, job_id, key, left, now)
  local line = aside .. key
  redis.call('LREM', active, 1, job_id)
  local last = redis.call('ZREVRANGE', line, '0', '0', 'WITHSCORES')[2]
  redis.call('ZADD', line, 'NX', word((tonumber(last) or 0) + 1), job_id)
  redis.call('PEXPIRE', line, word(2 * UNCALLED_MS))
  local first, _, may_be_more = first_aside(prefix, key, job_id)
  local is_first = first == job_id or may_be_more
  local wait_ms = is_first and left >= 0 and left or UNCALLED_MS
  redis.call('HSET', prefix .. job_id, 'delay', word(wait_ms), 'corral.singleton', key)
  delay_job(job_id, now + wait_ms)
  if is_first then
    wake_when_due()
  end
end
