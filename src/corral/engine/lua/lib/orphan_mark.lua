--- Whether keys of a job are there while the job is in no state: its lists aside, which the caller reads. Returns false,
--- or a mark that changes when the job is moved by anybody, empty when only keys beside its record are there.
--- A schedule's definition is no job, though its key may look like one.
--- @key completed         zset  completed ids by time
--- @key failed            zset  failed ids by time
--- @key delayed           zset  job ids by due time
--- @key prioritized       zset  job ids by priority, then arrival
--- @key waiting_children  zset  parents that wait for their children
local function orphan_mark(prefix, job_id)
  local job_key = prefix .. job_id
  local kept = redis.pcall('HMGET', job_key, 'timestamp', 'ats', 'atm', 'stc', 'processedOn', 'finishedOn', 'delay',
    'priority', 'ic', 'every', 'pattern')
  if kept.err or kept[9] or (kept[10] or kept[11]) and not kept[1] then
    return false
  end
  for _, set in ipairs({ completed, failed, delayed, prioritized, waiting_children }) do
    if redis.call('ZSCORE', set, job_id) then
      return false
    end
  end
  if redis.call('EXISTS', job_key .. ':lock') == 1 then
    return false
  end
  local parts = {}
  for at = 1, 8 do
    parts[at] = kept[at] or ''
  end
  return redis.call('EXISTS', job_key) == 1 and table.concat(parts, '/') or ''
end
