--- The children of a job, and what forbids to remove one. Children may live in other queues: `job_key` is
--- `<prefix>:<queue>:<id>`.
--- @include lib/fields_of
--- @include lib/split_key
--- @include lib/word
local function count_unended(job_key)
  return redis.call('SCARD', job_key .. ':dependencies')
end

local function count_children(job_key)
  return count_unended(job_key) + redis.call('HLEN', job_key .. ':processed')
    + redis.call('HLEN', job_key .. ':failed') + redis.call('ZCARD', job_key .. ':unsuccessful')
end

--- The keys of all children that are still this job's, each once. To be asked only where there are not too many.
local function children_of(job_key)
  local found, seen = {}, {}
  local kept = { redis.call('SMEMBERS', job_key .. ':dependencies'), redis.call('HKEYS', job_key .. ':processed'),
    redis.call('HKEYS', job_key .. ':failed'), redis.call('ZRANGE', job_key .. ':unsuccessful', 0, -1) }
  for _, keys in ipairs(kept) do
    for _, child_key in ipairs(keys) do
      if not seen[child_key] and fields_of(child_key, 'parentKey')[1] == job_key then
        seen[child_key] = true
        found[#found + 1] = child_key
      end
    end
  end
  return found
end

--- Nothing, or why a job may not be removed: 0 a worker holds it, -8 it is the next run of a schedule.
local function why_kept(base, job_id)
  if redis.call('EXISTS', base .. job_id .. ':lock') == 1 then
    return 0
  end
  local schedule = fields_of(base .. job_id, 'rjk')[1]
  local next_run = schedule and redis.call('ZSCORE', base .. 'repeat', schedule)
  if next_run and job_id == 'repeat:' .. schedule .. ':' .. word(math.floor(next_run)) then
    return -8
  end
  return nil
end

--- The keys of those children that have not ended, but for those that a worker holds and those that have failed.
local function unended_children_of(job_key)
  local found = {}
  for _, child_key in ipairs(redis.call('SMEMBERS', job_key .. ':dependencies')) do
    local base, id = split_key(child_key)
    if fields_of(child_key, 'parentKey')[1] == job_key and not why_kept(base, id)
      and not redis.call('ZSCORE', base .. 'failed', id) then
      found[#found + 1] = child_key
    end
  end
  return found
end
