#!lua flags=no-writes
--- Say whether there are queues with these keys `meta`.
--- @rest metas  keys
--- @return one entry a key: 1 or 0
--- BullMQ: none
local found = {}
for at = metas, #ARGV do
  found[#found + 1] = redis.pcall('HEXISTS', ARGV[at], 'opts.maxLenEvents') == 1 and 1 or 0
end
return found
