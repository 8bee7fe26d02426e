#!lua flags=allow-oom
--- Remove one job that no worker holds, and all below it.
---                       waiting | prioritized | delayed | waiting-children | completed | failed → nothing
--- @key events  stream  (names the slot of the queue)
--- @include lib/clock
--- @include lib/sent
--- @include lib/erase_job
--- @include lib/family
--- @include lib/split_key
--- @include lib/search_line
--- @arg prefix    string   what every key of the queue begins with
--- @arg now       string   milliseconds, or empty for the server's time
--- @arg sender    string   who calls, or empty when the call is never sent again
--- @arg number    string   the sender's number of this call
--- @arg job_id    string
--- @arg children  string   1 to remove its children, too, and theirs; 2 to leave them to other calls; 3 the
---                           same, and its parent, which is gone, keeps it on its list until they have gone, too; 4 to
---                           remove those below it that have not ended, and not those that a worker holds
--- @arg most      integer  how many jobs one call may remove
--- @arg search    integer  0, or where to search on (see `lib/take_waiting`)
--- @event removed waiting delayed
--- @return a code, and what goes with it: 1 removed and how many, 0 a worker holds it (or one below it) and its key,
---         -1 no job, -8 it is (or has below it) the next run of a schedule and its key, 2 nothing done and where to
---         search on, 3 nothing done: more jobs than one call may remove, or lines too long to find them in
--- BullMQ: removeJob
local done = recall(sender, number)
if done then
  return done
end
local family = { prefix .. job_id }
local seen = { [family[1]] = true }  -- a damaged tree may lead back to where it began
if redis.call('EXISTS', family[1]) == 0 then
  return { -1, 0 }
end
local goes_on, all = children == '1' or children == '4', children == '1'
local at, searched = 1, 0
while at <= #family do
  local base, id = prefix, job_id
  if at > 1 then
    base, id = split_key(family[at])
  end
  local refused = why_kept(base, id)
  if refused then
    return { refused, family[at] }
  end
  if goes_on then
    local count = all and count_children(family[at]) or count_unended(family[at])
    if #family + count > most then
      return { 3, 0 }
    end
    for _, child_key in ipairs(all and children_of(family[at]) or unended_children_of(family[at])) do
      if not seen[child_key] then
        seen[child_key] = true
        family[#family + 1] = child_key
      end
    end
    -- What goes together has to be found together.
    searched = searched + (#family > 1 and search_length(base, id) or 0)
    if is_long_search(searched) then
      return { 3, 0 }
    end
  end
  at = at + 1
end
local now_ms = clock(now)
for place = #family, 2, -1 do
  local base, id = split_key(family[place])
  erase_job(base, id, now_ms, { alone = false }, 0)
end
local how = { alone = children ~= '3', leave = children == '2' or children == '3' }
local previous, search_on = erase_job(prefix, job_id, now_ms, how, #family > 1 and 0 or search)
if not previous then
  return { 2, search_on }
end
local reply = { 1, #family }
remember(sender, number, reply)
return reply
