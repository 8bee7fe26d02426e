--- When the earliest delayed job is due, 0 when there is none. Other programs may have written any score: whoever waits
--- for this time gets one that can be waited for.
--- @key delayed  zset  job ids by due time
local FURTHEST_WAIT = 2 ^ 51

local function first_due()
  local first = redis.call('ZRANGE', delayed, '0', '0', 'WITHSCORES')
  return first[2] and math.max(1, math.min(math.floor(first[2] / 4096), FURTHEST_WAIT)) or 0
end
