#!lua flags=allow-oom
--- Remove some of a job's children that have none themselves: all, or those that have not ended, and not those that a
--- worker holds or that have failed. When the parent is gone already, what is not removed is forgotten.
---                       waiting | prioritized | delayed | waiting-children | completed | failed → nothing
--- @key events  stream  (names the slot of the queue)
--- @include lib/clock
--- @include lib/sent
--- @include lib/erase_job
--- @include lib/family
--- @include lib/fields_of
--- @include lib/split_key
--- @include lib/search_line
--- @arg now          string   milliseconds, or empty for the server's time
--- @arg sender       string   who calls, or empty when the call is never sent again
--- @arg number       string   the sender's number of this call
--- @arg parent_key   string   the parent's full key
--- @arg parent_left  string   0 the parent is there, and those go that have not ended; 1 it is gone, and all go; 2 it
---                              is gone, and those go that have not ended
--- @arg cursor       string   0, or where to go on
--- @arg most         integer  about how many children to look at
--- @rest above       keys of jobs that are gone and are being seen to: a child that is one of them is only forgotten
--- @event removed waiting delayed
--- @return where to go on (0: nowhere), how many were removed, how many a worker holds, and the keys of those that are
---         left to calls of their own: that have children themselves, and that stand in long lines
--- BullMQ: removeUnprocessedChildren
local done = recall(sender, number)
if done then
  return done
end
local parts = { ':dependencies', ':processed', ':failed', ':unsuccessful' }
local commands = { 'SREM', 'HDEL', 'HDEL', 'ZREM' }
local goes_on, found = '0', {}
local is_gone, all = parent_left ~= '0', parent_left == '1'
if is_gone then
  -- Any will do. SCAN, from the front of a table that earlier calls have emptied, may find none although there are some.
  local picked = { 'SRANDMEMBER', 'HRANDFIELD', 'HRANDFIELD', 'ZRANDMEMBER' }
  for part = 1, all and 4 or 1 do
    if #found == 0 then
      found = redis.call(picked[part], parent_key .. parts[part], most)
    end
  end
  goes_on = #found > 0 and '1' or '0'
  if #found == 0 then
    for part = 1, 4 do
      redis.call('UNLINK', parent_key .. parts[part])
    end
  end
else
  local page = redis.call('SSCAN', parent_key .. ':dependencies', cursor, 'COUNT', most)
  goes_on, found = page[1], page[2]
end
local now_ms = clock(now)
local is_above = {}
for at = above, #ARGV do
  is_above[ARGV[at]] = true
end
local removed, kept, opened, deep, searched = 0, 0, {}, {}, 0
for _, child_key in ipairs(found) do
  local base, id = split_key(child_key)
  local exists = redis.call('EXISTS', child_key) == 1
  local own = exists and fields_of(child_key, 'parentKey')[1] == parent_key
  local refused = own and why_kept(base, id)
  local spared = not all and redis.call('ZSCORE', base .. 'failed', id) or exists and not own
  local forgotten = is_gone
  if refused then
    kept = kept + 1
  elseif not spared and not is_above[child_key] and count_children(child_key) > 0 then
    opened[#opened + 1] = child_key
    forgotten = false
  elseif own and not spared then
    local length = search_length(base, id)
    if is_long_search(searched + length) then
      deep[#deep + 1] = child_key
      forgotten = false
    else
      searched = searched + length
      erase_job(base, id, now_ms, { alone = not is_gone }, 0)
      removed = removed + 1
    end
  end
  if forgotten then
    for part = 1, 4 do
      redis.call(commands[part], parent_key .. parts[part], child_key)
    end
  end
end
local reply = { goes_on, removed, kept, opened, deep }
if removed > 0 then
  remember(sender, number, reply)
end
return reply
