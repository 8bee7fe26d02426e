--- Look for jobs in the line of waiting ones, the lists `wait` and `paused`, of which Redis knows no places. Places are
--- counted from 1, through both lists.
--- @include lib/fields_of
local NEAR, PAGE, AROUND = 50000, 6000, 500

local function place_in(members, first, job_id)
  for at, member in ipairs(members) do
    if member == job_id then
      return first + at - 1
    end
  end
  return nil
end

--- Where those begin that arrived with a job, or before it: near its place, if the line is in order.
local function arrived_about(base, list, length, job_id)
  local made = tonumber(fields_of(base .. job_id, 'timestamp')[1] or nil)
  local low, high = 0, length - 1
  while made and low < high do
    local middle = math.floor((low + high) / 2)
    local its = tonumber(fields_of(base .. redis.call('LINDEX', list, middle), 'timestamp')[1] or nil)
    if not its then
      return nil
    end
    if its > made then
      low = middle + 1
    else
      high = middle
    end
  end
  return made and low
end

local function place_by_arrival(base, list, length, job_id)
  local about = arrived_about(base, list, length, job_id)
  if not about then
    return nil
  end
  local first = math.max(0, about - AROUND)
  return place_in(redis.call('LRANGE', list, first, about + AROUND), first, job_id)
end

local function place_near_ends(list, length, job_id)
  local place = redis.call('LPOS', list, job_id, 'MAXLEN', NEAR)
  if not place and length > NEAR then
    place = redis.call('LPOS', list, job_id, 'RANK', -1, 'MAXLEN', NEAR)
  end
  return place or nil
end

--- Whether a list is so long that a first look may miss a job of it.
local function is_long_line(length)
  return length > 2 * NEAR
end

--- Where a job is in a list, if that can be told at once.
local function place_at_first_look(base, list, length, job_id)
  return is_long_line(length) and place_by_arrival(base, list, length, job_id)
    or length > 0 and place_near_ends(list, length, job_id) or nil
end

--- How many places a search for this job may look at: none when it is in no line, no number when one call may not be
--- enough to find it.
local function search_length(base, job_id)
  local length = redis.call('LLEN', base .. 'wait') + redis.call('LLEN', base .. 'paused')
  if length > 1000 then
    for _, name in ipairs({ 'completed', 'waiting-children', 'delayed', 'failed', 'prioritized' }) do
      if redis.call('ZSCORE', base .. name, job_id) then
        return 0
      end
    end
  end
  return is_long_line(length) and math.huge or length
end

--- Whether it is too much for one call to look at so many places: some milliseconds.
local function is_long_search(places)
  return places > 5 * NEAR
end

--- The members from a place on, within one list, and the place to go on with: pages overlap a little, and the next list
--- begins where this one ends. Nil behind the end.
local function page_from(base, place, size)
  local first = place - 1
  for _, name in ipairs({ 'wait', 'paused' }) do
    local list = base .. name
    local length = redis.call('LLEN', list)
    if first < length then
      local members = redis.call('LRANGE', list, first, first + size - 1)
      local after = place + math.min(size - AROUND, length - first)
      return { name = name, list = list, length = length, first = first, members = members, place = place, after = after }
    end
    first = first - length
  end
  return nil
end

local function page_of_line(base, place)
  return page_from(base, place, PAGE)
end

--- The page in the middle of which a job should be by the time of its arrival.
local function page_about(base, job_id)
  local list = base .. 'wait'
  local length = redis.call('LLEN', list)
  local about = length > 0 and arrived_about(base, list, length, job_id) or 0
  return page_of_line(base, math.max(1, about - PAGE / 2))
end

--- A page around the place where a job has been seen.
local function page_near(base, place)
  return page_from(base, math.max(1, place - 2 * AROUND), 4 * AROUND)
end
