--- Which job holds a singleton key, and for how many ms its lock still lasts: nothing when its run is no more. One that
--- is called and has not started holds nothing.
--- @key holders  hash  by singleton key: the token (none before it starts) and the id of the job whose turn it is
local function holder_of(prefix, key)
  local token, job_id = string.match(redis.call('HGET', holders, key) or '', '^(%S+) (.*)$')
  if not job_id then
    return nil
  end
  local lock = prefix .. job_id .. ':lock'
  local left = redis.pcall('GET', lock) == token and redis.call('PTTL', lock) or nil
  return job_id, left
end
