--- The time of this call in milliseconds: the given one (tests pass a clock), else the server's. Also as a word.
--- @include lib/word
local function clock(given)
  if given ~= '' then
    return tonumber(given), given
  end
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  return now, word(now)
end
