--- Tell all workers that wait for the end of a rate limit to ask again: the limit is another one now. They all read
--- this stream, where a token in `marker` would wake one of them.
--- @key limit_changes  stream  the last change of the rate limit
local function tell_limited()
  redis.call('XADD', limit_changes, 'MAXLEN', 1, '*', 'limit', 'changed')
  redis.call('PEXPIRE', limit_changes, 600000)
end
