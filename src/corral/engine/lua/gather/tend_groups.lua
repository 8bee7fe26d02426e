#!lua flags=allow-oom
--- Keep the groups of failures within bounds, and list them: ids older than the newest `window` failed jobs go, and so
--- do groups without ids, and those that failed longest ago where there are too many.
--- @key failed      zset  failed ids by time
--- @key failures    hash  the cursor, and by fingerprint what a group of failures has in common
--- @key failed_ids  zset  prefix of the groups: the ids of each by time
--- @arg window   integer  how many of the newest failed jobs count
--- @arg most     integer  how many groups to keep at most
--- @arg keep_ms  string   how long to keep it all without use
--- @return how many failed jobs there are, how many of them count, and of each group: fingerprint, what it has in
---         common, how many ids, time of the first, time of the last, id of the last
--- BullMQ: none
local function failed_later(one, other)
  return tonumber(one[5]) > tonumber(other[5])
end

local total = redis.call('ZCARD', failed)
local counted, oldest = total, nil
if total > window then
  oldest = redis.call('ZRANGE', failed, -window, -window, 'WITHSCORES')[2]
  counted = redis.call('ZCOUNT', failed, oldest, '+inf')
end
local rows = {}
local flat = redis.call('HGETALL', failures)
for at = 1, #flat, 2 do
  local ids = failed_ids .. flat[at]
  if flat[at] ~= 'cursor' then
    if oldest then
      redis.call('ZREMRANGEBYSCORE', ids, '-inf', '(' .. oldest)
    end
    local newest = redis.call('ZRANGE', ids, -1, -1, 'WITHSCORES')
    if newest[1] then
      rows[#rows + 1] = { flat[at], flat[at + 1], redis.call('ZCARD', ids), '', newest[2], newest[1] }
    else
      redis.call('HDEL', failures, flat[at])
    end
  end
end
table.sort(rows, failed_later)
while #rows > most do
  local row = table.remove(rows)
  redis.call('HDEL', failures, row[1])
  redis.call('UNLINK', failed_ids .. row[1])
end
for _, row in ipairs(rows) do
  row[4] = redis.call('ZRANGE', failed_ids .. row[1], 0, 0, 'WITHSCORES')[2]
  redis.call('PEXPIRE', failed_ids .. row[1], keep_ms)
end
redis.call('PEXPIRE', failures, keep_ms)
return { total, counted, unpack(rows) }
