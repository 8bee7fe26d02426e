--- Put a job among the delayed ones. Jobs due in the same millisecond keep the order of their arrival: the score has
--- room for 4,096 of them, and what is more goes to the milliseconds after it, as far as 64. A time that no
--- score can count becomes the last that one can.
--- @key delayed  zset    job ids by due time
--- @key events   stream
--- @include lib/word
local PLACES = 4096
local LATEST = 64
local FURTHEST = 2 ^ 51 - PLACES  -- some 70,000 years: with the places it stays below 2^63, where %d ends

local function delay_job(id, due)
  due = math.min(due, FURTHEST)
  local score
  for late = 0, LATEST do
    local first = (due + late) * PLACES
    local last = redis.call('ZREVRANGEBYSCORE', delayed, word(first + PLACES - 1), word(first), 'WITHSCORES', 'LIMIT',
      '0', '1')[2]
    score = last and math.min(tonumber(last) + 1, first + PLACES - 1) or first
    if not last or tonumber(last) < score then
      break
    end
  end
  redis.call('ZADD', delayed, word(score), id)
  redis.call('XADD', events, '*', 'event', 'delayed', 'jobId', id, 'delay', word(due))
end
