--- The jobs of a call that is sent again, as far as its worker still holds them: read anew, nothing changed.
--- `ids` are pairs of id and start number.
local function claimed_before(prefix, pairs_of, token)
  local jobs = {}
  for at = 1, #pairs_of, 2 do
    local job_key = prefix .. pairs_of[at]
    local job = redis.call('HMGET', job_key, 'name', 'data', 'opts', 'ats', 'atm', 'timestamp', 'delay', 'priority',
      'stc', 'defa', 'rjk', 'parentKey', 'deid')
    if redis.call('GET', job_key .. ':lock') == token and tonumber(job[4]) == pairs_of[at + 1] then
      job[4] = pairs_of[at + 1]
      job[14] = pairs_of[at]
      jobs[#jobs + 1] = job
    end
  end
  return jobs
end

local function to_remember(jobs)
  local pairs_of = {}
  for _, job in ipairs(jobs) do
    pairs_of[#pairs_of + 1] = job[14]
    pairs_of[#pairs_of + 1] = job[4]
  end
  return pairs_of
end
