#!lua flags=no-writes
--- Say whether there are queues whose keys begin so.
--- @include lib/is_queue
--- @rest bases  `<prefix>:<queue>:`
--- @return one entry each: 1 or 0
--- BullMQ: none
local found = {}
for at = bases, #ARGV do
  found[#found + 1] = is_queue(ARGV[at]) and 1 or 0
end
return found
