--- A page of a sorted set, in its order: a call that follows goes on behind the last score, past those that stayed and
--- have that score. `cursor` is `<score>/<how many of that score to pass>`, 0 to begin and at the end.
local function page_of(set, cursor, count)
  local score, passed = string.match(cursor, '^(.+)/(%d+)$')
  local flat = redis.call('ZRANGEBYSCORE', set, score or '-inf', '+inf', 'WITHSCORES', 'LIMIT', passed or 0, count)
  local ids, scores = {}, {}
  for at = 1, #flat, 2 do
    ids[#ids + 1], scores[#scores + 1] = flat[at], flat[at + 1]
  end
  return ids, scores
end

--- Where to go on behind a page of which the jobs at the positions `stays` stay.
local function cursor_behind(cursor, scores, stays, count)
  local last = scores[#scores]
  if #scores < count then
    return '0'
  end
  local score, passed = string.match(cursor, '^(.+)/(%d+)$')
  local pass = score == last and tonumber(passed) or 0
  for at, reached in ipairs(scores) do
    if reached == last and stays[at] then
      pass = pass + 1
    end
  end
  return last .. '/' .. pass
end
