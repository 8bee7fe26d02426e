--- Count finished jobs by the minute: a list of what each past minute brought, the newest first.
--- @include lib/whole
--- @include lib/word
local function count_finished(totals, minutes, finished, now, points)
  local kept = redis.call('HMGET', totals, 'count', 'prevTS', 'prevCount')
  local before, since = whole(kept[1]) or 0, whole(kept[2])
  redis.call('HSET', totals, 'count', word(before + finished))
  if not since then
    redis.call('HSET', totals, 'prevTS', now, 'prevCount', 0)
    return
  end
  local passed = math.min(math.floor(now / 60000) - math.floor(since / 60000), points)
  if passed > 0 then
    local idle = {}
    for minute = 1, passed - 1 do
      idle[minute] = 0
    end
    redis.call('LPUSH', minutes, before - (whole(kept[3]) or 0))
    for first = 1, #idle, 4000 do
      redis.call('LPUSH', minutes, unpack(idle, first, math.min(first + 3999, #idle)))
    end
    redis.call('LTRIM', minutes, 0, points - 1)
    redis.call('HSET', totals, 'prevTS', now, 'prevCount', before)
  end
end
