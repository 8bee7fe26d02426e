#!lua flags=no-writes
--- Read jobs by their ids.
--- @key events  stream  (names the slot of the queue)
--- @include lib/read_jobs
--- @arg prefix  string  what every key of the queue begins with
--- @rest first  their ids
--- @return the hashes of as many of them as one call reads: see `lib/read_jobs`
--- BullMQ: none
local ids = {}
for at = first, #ARGV do
  ids[#ids + 1] = ARGV[at]
end
return read_jobs(prefix, ids)
