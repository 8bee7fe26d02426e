#!lua flags=allow-oom
--- Delete keys that belong to no job and no schedule, because the queue has none: deduplication ids that run on, records
--- of jobs that were in no state, Corral's own keys.
--- @include lib/is_empty
--- @include lib/in_chunks
--- @rest leftovers  keys
--- @return 1, or 0 when the queue is not empty: then nothing was deleted
--- BullMQ: none
if not is_empty() then
  return 0
end
local keys = {}
for at = leftovers, #ARGV do
  keys[#keys + 1] = ARGV[at]
end
in_chunks('UNLINK', nil, keys)
return 1
