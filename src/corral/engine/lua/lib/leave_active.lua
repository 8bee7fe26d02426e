--- Take a job out of `active` on behalf of the run that holds it, or say why not (BullMQ's codes), having changed
--- nothing. The run is known by its lock and by its start number (`ats`): a lock that is merely missing, because the
--- server stood still longer than it lasts, does not end a run while no other has started.
--- @key active  list  job ids that workers hold
local function leave_active(prefix, run)
  local job_key = prefix .. run.id
  local job = redis.call('HMGET', job_key, 'ats', 'atm', 'parent', 'parentKey', 'deid', 'priority')
  if not job[1] and redis.call('EXISTS', job_key) == 0 then
    return nil, -1
  end
  local holder = redis.call('GET', job_key .. ':lock')
  if holder and holder ~= run.token then
    return nil, -6
  end
  if job[1] ~= run.starts then
    return nil, -2
  end
  if run.verb == 'c' and redis.call('EXISTS', job_key .. ':dependencies', job_key .. ':unsuccessful') > 0 then
    if redis.call('EXISTS', job_key .. ':dependencies') == 1 then
      return nil, -4
    end
    return nil, -9
  end
  if redis.call('LREM', active, -1, run.id) == 0 then
    return nil, -3
  end
  return {
    key = job_key, made = tonumber(job[2] or 0) or 0, parent = job[3], parent_key = job[4],
    deduplication_id = job[5], priority = tonumber(job[6] or 0) or 0,
  }
end
