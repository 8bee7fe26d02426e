#!lua flags=no-writes
--- Look for some jobs in the line of waiting ones, of which Redis knows no places, one page a call: first where they
--- should be by the time of arrival of one of them, then from the newest on.
--- @key events  stream  (names the slot of the queue)
--- @include lib/take_waiting
--- @arg prefix  string   what every key of the queue begins with
--- @arg from    integer  0, or where to look on
--- @rest ids    the jobs
--- @return where to look on (0: nowhere), and of each job that was found its id and its place, counted from 1 through
---         `wait` and `paused`
--- BullMQ: none
local wanted = {}
for at = ids, #ARGV do
  wanted[ARGV[at]] = true
end
local place, goes_on = from, 1
if from == 0 then
  local length = redis.call('LLEN', prefix .. 'wait')
  local about = length > 0 and arrived_about(prefix, prefix .. 'wait', length, ARGV[ids]) or 0
  place = math.max(1, about - PAGE / 2)
end
local page, found = page_from(prefix, place, PAGE), {}
for at, member in ipairs(page and page.members or {}) do
  if wanted[member] then
    found[#found + 1] = member
    found[#found + 1] = place + at - 1
  end
end
if from > 0 then
  goes_on = page and from + math.min(PAGE - AROUND, page.length - page.first) or 0
end
return { goes_on, found }
