--- Take a job out of the line of waiting ones, of which Redis knows no places: a list is searched from its ends. So a
--- job is looked for where it should be by the time of its arrival, then near both ends, and at last page by page, some
--- thousands in a call. Deep in a long line the newest job takes its place: to close the gap would cost as much
--- as there are jobs between it and the nearer end.
--- Places are counted from 1, through both lists. `from` is 0, or what an earlier call gave back, or minus the place
--- where the job has been seen. Returns the list's name; or nothing, and where to search on, unless the job is in no line.
--- @include lib/fields_of
local NEAR, PAGE, AROUND = 50000, 10000, 500
local LINES = { 'wait', 'paused' }

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

local function close_gap(list, length, place, job_id)
  if place < NEAR then
    redis.call('LREM', list, 1, job_id)
  elseif length - 1 - place < NEAR then
    redis.call('LREM', list, -1, job_id)
  else
    redis.call('LSET', list, place - 1, redis.call('LPOP', list))
  end
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
  return length > 2 * NEAR and math.huge or length
end

--- The members from a place on, within one list, and the place to go on with: pages overlap a little, and the next list
--- begins where this one ends. Nil behind the end.
local function page_from(base, place, size)
  local first = place - 1
  for _, name in ipairs(LINES) do
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

local function take_from_page(job_id, page)
  local place = page and place_in(page.members, page.first, job_id)
  if place then
    close_gap(page.list, page.length, place, job_id)
  end
  return place and page.name or nil
end

local function take_at_first_look(base, job_id)
  local search_on = nil
  for _, name in ipairs(LINES) do
    local list = base .. name
    local length = redis.call('LLEN', list)
    local place = length > 2 * NEAR and place_by_arrival(base, list, length, job_id)
      or length > 0 and place_near_ends(list, length, job_id)
    if place then
      close_gap(list, length, place, job_id)
      return name
    end
    search_on = search_on or length > 2 * NEAR and 1 or nil
  end
  return nil, search_on
end

local function take_waiting(base, job_id, from)
  if from == 0 then
    return take_at_first_look(base, job_id)
  end
  if from < 0 then
    local name = take_from_page(job_id, page_from(base, math.max(1, -from - 2 * AROUND), 4 * AROUND))
    return name, not name and 0 or nil
  end
  local page = page_of_line(base, from)
  if not page then
    -- It may have been put back to an end meanwhile.
    return (take_at_first_look(base, job_id))
  end
  local name = take_from_page(job_id, page)
  return name, not name and page.after or nil
end
