--- Why a job is cancelled or superseded although it has not ended, of its fields `defa` and `corral.failure`; nil when
--- it is not. Such a job carries the reason to its end: whoever starts it fails it, and no run of it ends otherwise.
local function cancellation_of(deferred, kind)
  return deferred and (kind == 'cancelled' or kind == 'superseded') and deferred or nil
end
