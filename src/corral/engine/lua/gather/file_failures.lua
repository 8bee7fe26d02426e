#!lua flags=allow-oom
--- File a page of failed jobs under their fingerprints, and move the cursor, unless somebody else has moved it. Filing
--- twice changes nothing.
--- @key failures    hash  the cursor, and by fingerprint what a group of failures has in common
--- @key failed_ids  zset  prefix of the groups: the ids of each by time
--- @arg before   string   the cursor with which the page was read, or empty
--- @arg after    string   the cursor behind the page
--- @arg keep_ms  string   how long to keep it all without use
--- @rest rows    four strings a job: fingerprint, what its group has in common, id, time
--- @return 1 if the cursor was moved, else 0; and about how many groups there are
--- BullMQ: none
for at = rows, #ARGV, 4 do
  local ids = failed_ids .. ARGV[at]
  redis.call('HSETNX', failures, ARGV[at], ARGV[at + 1])
  redis.call('ZADD', ids, ARGV[at + 3], ARGV[at + 2])
  redis.call('PEXPIRE', ids, keep_ms)
end
local moved = (redis.call('HGET', failures, 'cursor') or '') == before
if moved then
  redis.call('HSET', failures, 'cursor', after)
end
redis.call('PEXPIRE', failures, keep_ms)
return { moved and 1 or 0, redis.call('HLEN', failures) }
