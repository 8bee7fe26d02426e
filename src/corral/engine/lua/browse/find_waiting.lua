#!lua flags=no-writes
--- Look for some jobs in the line of waiting ones, of which Redis knows no places, one page a call: first where they
--- should be by the time of arrival of one of them, then from the newest on.
--- @key events  stream  (names the slot of the queue)
--- @include lib/search_line
--- @arg prefix  string   what every key of the queue begins with
--- @arg search  integer  0, or where to search on
--- @rest ids    the jobs
--- @return where to search on (0: nowhere), and of each job that was found its id and its place, counted from 1 through
---         `wait` and `paused`
--- BullMQ: none
local wanted, found, page = {}, {}, nil
for at = ids, #ARGV do
  wanted[ARGV[at]] = true
end
if search == 0 then
  page = page_about(prefix, ARGV[ids])
else
  page = page_of_line(prefix, search)
end
for at, member in ipairs(page and page.members or {}) do
  if wanted[member] then
    found[#found + 1] = member
    found[#found + 1] = page.place + at - 1
  end
end
return { search == 0 and 1 or page and page.after or 0, found }
