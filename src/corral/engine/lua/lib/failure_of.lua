--- What tells failures apart, of one job: its name, the reason, the end of its stack traces, … (`FAILURE_FIELDS`). Long
--- texts are cut, so that a page of them stays bounded whatever other clients have written.
--- @include lib/fields_of
local FAILURE_FIELDS = { 'name', 'failedReason', 'stacktrace', 'corral.failure', 'atm', 'opts' }

local function failure_of(prefix, job_id)
  local kept = fields_of(prefix .. job_id, unpack(FAILURE_FIELDS))
  return {
    string.sub(kept[1] or '', 1, 1024), string.sub(kept[2] or '', 1, 4096), string.sub(kept[3] or '', -32768),
    string.sub(kept[4] or '', 1, 64), string.sub(kept[5] or '', 1, 64), string.sub(kept[6] or '', 1, 4096),
  }
end
