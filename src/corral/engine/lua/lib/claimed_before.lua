--- The jobs of a call that is sent again, as far as its worker still holds them: read anew. A lock that ran out while
--- nobody answered is taken again, as long as no other run has started: no handler has seen the job yet, and to leave
--- it to the stalled check would cost it a stall.
--- `pairs_of` has id and fence of each. The second value: their schedules, which may want their next times.
--- @include lib/fence_of
--- @include lib/whole
--- @include lib/word
--- @key active   list  job ids that workers hold
--- @key stalled  set   ids seen active at the last stalled check
local function claimed_before(prefix, pairs_of, token, lock_ms)
  local jobs, recurring = {}, {}
  for at = 1, #pairs_of, 2 do
    local job_id = pairs_of[at]
    local job_key = prefix .. job_id
    local job = redis.call('HMGET', job_key, 'name', 'data', 'opts', 'ats', 'atm', 'timestamp', 'delay', 'priority',
      'stc', 'defa', 'rjk', 'parentKey', 'deid')
    local holder = redis.call('GET', job_key .. ':lock')
    if fence_of(job[4], job[6]) == pairs_of[at + 1] and (holder == token
      or not holder and redis.call('LPOS', active, job_id)) then
      if not holder then
        redis.call('SET', job_key .. ':lock', token, 'PX', lock_ms)
        redis.call('SREM', stalled, job_id)
      end
      job[4] = whole(job[4])
      job[14] = job_id
      jobs[#jobs + 1] = job
      recurring[#recurring + 1] = job[11] or nil
    end
  end
  return jobs, recurring
end

local function to_remember(jobs)
  local pairs_of = {}
  for _, job in ipairs(jobs) do
    pairs_of[#pairs_of + 1] = job[14]
    pairs_of[#pairs_of + 1] = fence_of(word(job[4]), job[6])
  end
  return pairs_of
end
