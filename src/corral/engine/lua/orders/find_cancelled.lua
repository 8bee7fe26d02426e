#!lua flags=allow-oom
--- Say which of some runs are of jobs that were cancelled, or superseded, since they began.
--- @include lib/cancellation_of
--- @include lib/fence_of
--- @include lib/fields_of
--- @arg prefix  string  what every key of the queue begins with
--- @rest runs   two strings a run: id, fence
--- @return for each run the reason, or an empty text
--- BullMQ: none
local reasons = {}
for at = runs, #ARGV, 2 do
  local kept = fields_of(prefix .. ARGV[at], 'ats', 'timestamp', 'defa', 'corral.failure')
  local own = fence_of(kept[1], kept[2]) == ARGV[at + 1]
  reasons[#reasons + 1] = own and cancellation_of(kept[3], kept[4]) or ''
end
return reasons
