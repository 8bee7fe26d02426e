--- Take a job out of the line of waiting ones, of which Redis knows no places: a list is searched from its ends. So a
--- job is looked for where it should be by the time of its arrival, then near both ends, and at last page by page, some
--- thousands in a call. Deep in a long line the newest job takes its place: to close the gap would cost as much
--- as there are jobs between it and the nearer end.
--- `from` is 0, or what an earlier call gave back. Returns the list's name; or nothing, and where to search on, unless
--- the job is in no line.
--- @include lib/fields_of
local NEAR, PAGE, AROUND = 50000, 5000, 500

local function place_in(members, first, job_id)
  for at, member in ipairs(members) do
    if member == job_id then
      return first + at - 1
    end
  end
  return nil
end

local function place_by_arrival(base, list, length, job_id)
  local made = tonumber(fields_of(base .. job_id, 'timestamp')[1] or nil)
  local low, high = 0, length - 1
  while made and low < high do
    local middle = math.floor((low + high) / 2)
    local its = fields_of(base .. redis.call('LINDEX', list, middle), 'timestamp')[1]
    if not tonumber(its or nil) then
      return nil
    end
    if tonumber(its) > made then
      low = middle + 1
    else
      high = middle
    end
  end
  local first = math.max(0, low - AROUND)
  return place_in(redis.call('LRANGE', list, first, low + AROUND), first, job_id)
end

local function place_near_ends(list, length, job_id)
  local place = redis.call('LPOS', list, job_id, 'MAXLEN', NEAR)
  if not place and length > NEAR then
    place = redis.call('LPOS', list, job_id, 'RANK', -1, 'MAXLEN', NEAR)
  end
  return place or nil
end

local function close_gap(list, length, place, job_id)
  if place < NEAR then
    redis.call('LREM', list, 1, job_id)
  elseif length - 1 - place < NEAR then
    redis.call('LREM', list, -1, job_id)
  else
    redis.call('LSET', list, place - 1, redis.call('LPOP', list))
  end
end

local function take_waiting(base, job_id, from)
  local offset, searched_all = from - 1, true
  for _, name in ipairs({ 'wait', 'paused' }) do
    local list = base .. name
    local length = redis.call('LLEN', list)
    local place = nil
    if length > 0 and from == 0 then
      place = length > 2 * NEAR and place_by_arrival(base, list, length, job_id)
        or place_near_ends(list, length, job_id)
      searched_all = searched_all and length <= 2 * NEAR
    elseif offset >= 0 and offset < length then
      place = place_in(redis.call('LRANGE', list, offset, offset + PAGE - 1), offset, job_id)
      searched_all = false
    end
    if place then
      close_gap(list, length, place, job_id)
      return name
    end
    if from > 0 and offset >= 0 and offset < length then
      -- The pages overlap a little, and the next list begins where this one ends.
      return nil, from + math.min(PAGE - AROUND, length - offset)
    end
    offset = offset - length
  end
  return nil, not searched_all and from + 1 or nil
end
