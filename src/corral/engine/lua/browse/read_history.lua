#!lua flags=no-writes
--- Read what a stretch of time brought to a queue: quarters of an hour as far as there are any, if they are wanted, and
--- the samples of the minutes behind them.
--- @key samples   stream  one sample a minute, its id the minute
--- @key quarters  stream  one entry a quarter of an hour, its id when it began
--- @include lib/word
--- @arg since     integer  from when on (ms)
--- @arg coarsely  integer  whether quarters are wanted: 0 or 1
--- @arg most      integer  how many entries of each to bring
--- @return quarters and samples, the earliest first, each as a list of: when it began (ms), what it brought
--- BullMQ: none
local function read(stream, from)
  local flat, last = {}, nil
  for _, entry in ipairs(redis.call('XRANGE', stream, word(from), '+', 'COUNT', most)) do
    last = string.match(entry[1], '^%d+')
    flat[#flat + 1] = last
    flat[#flat + 1] = entry[2][2]
  end
  return flat, tonumber(last)
end

local coarse, last = {}, nil
if coarsely == 1 then
  coarse, last = read(quarters, since)
end
return { coarse, (read(samples, last and last + 900000 or since)) }
