--- The job that is next among those set aside for a singleton key, and whether it is delayed still: else it is ready
--- already. Ids of jobs that are neither, because they were removed or have run, are dropped, and those of other jobs
--- that were added under them, a bounded number a call: beyond it none is found, and the third answer says that there may
--- be more. `own` is the id of one that is just being set aside, whose record does not say so yet.
--- @key aside             zset  prefix of the lines, one a singleton key: job ids by arrival
--- @key delayed           zset  job ids by due time
--- @key waiting_children  zset  parents that wait for their children
--- @include lib/fields_of
local MOST_GONE = 200

local function is_unstarted(prefix, job_id)
  return redis.call('EXISTS', prefix .. job_id .. ':lock') == 0 and not redis.call('ZSCORE', waiting_children, job_id)
end

local function first_aside(prefix, key, own)
  local line = aside .. key
  for _ = 1, MOST_GONE do
    local job_id = redis.call('ZRANGE', line, '0', '0')[1]
    if not job_id or job_id == own then
      return job_id, false
    end
    local kept = fields_of(prefix .. job_id, 'corral.singleton', 'finishedOn')
    if kept[1] == key and not kept[2] then
      if redis.call('ZSCORE', delayed, job_id) then
        return job_id, true
      end
      if is_unstarted(prefix, job_id) then
        return job_id, false
      end
    end
    redis.call('ZREM', line, job_id)
  end
  return nil, false, true
end
