#!lua flags=allow-oom
--- Keep the sample of a minute, unless there is one of this minute or of a later one.
--- @key samples  stream  one sample a minute, its id the minute
--- @arg minute   string   when it began (ms)
--- @arg sample   string
--- @arg most     integer  how many samples to keep
--- @arg keep_ms  string   how long to keep them all without another
--- @return 1 if it is kept, else 0
--- BullMQ: none
local last = redis.call('XREVRANGE', samples, '+', '-', 'COUNT', 1)[1]
if last and tonumber(string.match(last[1], '^%d+')) >= tonumber(minute) then
  return 0
end
redis.call('XADD', samples, 'MAXLEN', '~', most, minute .. '-0', 'sample', sample)
redis.call('PEXPIRE', samples, keep_ms)
return 1
