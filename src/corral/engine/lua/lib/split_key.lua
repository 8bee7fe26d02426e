--- A job's key as what every key of its queue begins with, and the id: `<prefix>:<queue>:` and the rest. The third value
--- is false when that is a guess.
---
--- An id may have three parts, that of a scheduled job more, and a prefix any number: where a queue's `meta` is tells
--- which parts are the id's.
--- @include lib/is_queue
local function split_key(job_key)
  local base, job_id = string.match(job_key, '^(.*:)([^:]+)$')
  local outer, long_id = string.match(job_key, '^(.*:[^:]+:)([^:]+:[^:]+:[^:]+)$')
  if not outer or is_queue(base) then
    return base, job_id, true
  end
  if is_queue(outer) then
    return outer, long_id, true
  end
  local scheduled = string.find(job_key, ':repeat:', 1, true)
  while scheduled do
    if is_queue(string.sub(job_key, 1, scheduled)) then
      return string.sub(job_key, 1, scheduled), string.sub(job_key, scheduled + 1), true
    end
    scheduled = string.find(job_key, ':repeat:', scheduled + 1, true)
  end
  return base, job_id, false
end
