#!lua flags=no-writes
--- Take the keys of jobs apart: of whatever queues and prefixes they are.
--- @key events  stream  (names the slot of the queue)
--- @include lib/split_key
--- @rest job_keys  full keys
--- @return for each how many bytes stand before the id, or 0 when no queue of that name is known
--- BullMQ: none
local lengths = {}
for at = job_keys, #ARGV do
  local base, _, known = split_key(ARGV[at])
  lengths[#lengths + 1] = known and #base or 0
end
return lengths
