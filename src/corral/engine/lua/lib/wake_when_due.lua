--- Leave the token that says when the earliest delayed job is due.
--- @key marker  zset  wake-up tokens
--- @include lib/first_due
--- @include lib/word
local function wake_when_due()
  local due = first_due()
  if due > 0 then
    redis.call('ZADD', marker, word(due), '1')
  end
end
