--- Take a job out of the line of waiting ones. It is looked for where it should be by the time of its arrival, then near
--- both ends, and at last page by page, some thousands in a call. Deep in a long line the newest job takes its place: to
--- close the gap would cost as much as there are jobs between it and the nearer end.
--- `from` is 0, or what an earlier call gave back, or minus the place where the job has been seen. Returns the list's name;
--- or nothing, and where to search on, unless the job is in no line.
--- @include lib/search_line
local DEEP = 50000

local function close_gap(list, length, place, job_id)
  if place < DEEP then
    redis.call('LREM', list, 1, job_id)
  elseif length - 1 - place < DEEP then
    redis.call('LREM', list, -1, job_id)
  else
    redis.call('LSET', list, place - 1, redis.call('LPOP', list))
  end
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
  for _, name in ipairs({ 'wait', 'paused' }) do
    local list = base .. name
    local length = redis.call('LLEN', list)
    local place = place_at_first_look(base, list, length, job_id)
    if place then
      close_gap(list, length, place, job_id)
      return name
    end
    search_on = search_on or is_long_line(length) and 1 or nil
  end
  return nil, search_on
end

local function take_waiting(base, job_id, from)
  if from == 0 then
    return take_at_first_look(base, job_id)
  end
  if from < 0 then
    local name = take_from_page(job_id, page_near(base, -from))
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
