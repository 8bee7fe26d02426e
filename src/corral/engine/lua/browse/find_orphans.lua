#!lua flags=no-writes
--- Say which of some jobs are in none of the sorted states and held by no worker. The lists are not searched.
--- @include lib/orphan_mark
--- @arg prefix   string  what every key of the queue begins with
--- @rest job_ids  strings
--- @return one entry a job: a mark of the record as it is now, or nothing
--- BullMQ: removeOrphanedJobs
local marks = {}
for at = job_ids, #ARGV do
  marks[#marks + 1] = orphan_mark(prefix, ARGV[at])
end
return marks
