#!lua flags=no-writes
--- Read a page of the keys of a job's children, and whether they may be removed.
--- @key events  stream  (names the slot of the queue)
--- @include lib/family
--- @include lib/fields_of
--- @include lib/split_key
--- @arg parent_key  string   the parent's full key
--- @arg part        string   dependencies, processed, failed or unsuccessful
--- @arg cursor      string   0, or where to go on
--- @arg size        integer  about how many
--- @return where to go on (0: nowhere), the keys, and for each why it may not be removed (1: it may) and how many
---         children it has itself
--- BullMQ: getDependencies
local scans = { dependencies = 'SSCAN', processed = 'HSCAN', failed = 'HSCAN', unsuccessful = 'ZSCAN' }
local page = redis.call(scans[part], parent_key .. ':' .. part, cursor, 'COUNT', size)
local keys, refusals, counts = {}, {}, {}
for at = 1, #page[2], part == 'dependencies' and 1 or 2 do
  local child_key = page[2][at]
  if fields_of(child_key, 'parentKey')[1] == parent_key then
    local base, id = split_key(child_key)
    keys[#keys + 1] = child_key
    refusals[#refusals + 1] = why_kept(base, id) or 1
    counts[#counts + 1] = count_children(child_key)
  end
end
return { page[1], keys, refusals, counts }
