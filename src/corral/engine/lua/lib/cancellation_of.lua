--- Why a job is cancelled or superseded although it has not ended, of its fields `defa` and `corral.failure`; nil when
--- it is not. Such a job carries the reason to its end: whoever starts it fails it, and no run of it ends otherwise.
---
--- The kind may be left from an earlier end, where Node has retried the job; a reason of this kind begins with it.
local function cancellation_of(deferred, kind)
  local is_marked = deferred and (kind == 'cancelled' or kind == 'superseded')
  return is_marked and string.sub(deferred, 1, #kind) == kind and deferred or nil
end
