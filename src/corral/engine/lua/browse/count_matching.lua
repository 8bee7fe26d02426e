#!lua flags=no-writes
--- Count the finished jobs of a page that match.
--- @key completed  zset  completed ids by time
--- @key failed     zset  failed ids by time
--- @include lib/next_page
--- @include lib/matches
--- @arg prefix   string   what every key of the queue begins with
--- @arg state    string   completed or failed
--- @arg score    string   the page begins behind this time …
--- @arg job_id   string   … and this id
--- @arg highest  string   the latest time that counts
--- @arg size     integer  how many jobs to look at
--- @arg name     string   only jobs of this name; empty for any
--- @arg reason   string   only jobs with this text in their reason; empty for any
--- @return how many were looked at, how many of them match, and the time and the id at the end of the page
--- BullMQ: none
local page = next_page(state == 'completed' and completed or failed, score, job_id, highest, size)
local matching = 0
for at = 1, #page, 2 do
  if matches(prefix, page[at], name, reason) then
    matching = matching + 1
  end
end
return { #page / 2, matching, page[#page] or score, page[#page - 1] or job_id }
