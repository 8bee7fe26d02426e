#!lua flags=allow-oom
--- Keep what quarters of an hour brought, unless there is the same or a later one.
--- @key quarters  stream  one entry a quarter of an hour, its id when it began
--- @arg most      integer  how many quarters to keep
--- @arg keep_ms   string   how long to keep them all without another
--- @rest rows      two strings each, the earliest first: when it began (ms), what it brought
--- @return how many are kept of them
--- BullMQ: none
local last = redis.call('XREVRANGE', quarters, '+', '-', 'COUNT', 1)[1]
local latest = last and tonumber(string.match(last[1], '^%d+')) or -1
local kept = 0
for at = rows, #ARGV, 2 do
  if tonumber(ARGV[at]) > latest then
    redis.call('XADD', quarters, 'MAXLEN', '~', most, ARGV[at] .. '-0', 'stretch', ARGV[at + 1])
    kept = kept + 1
  end
end
redis.call('PEXPIRE', quarters, keep_ms)
return kept
