--- Whether there is a queue whose keys begin with `base`: its `meta` has a setting of queues. Any hash will not do, since
--- a job may be called `x:y:meta`.
--- @include lib/fields_of
local function is_queue(base)
  local kept = fields_of(base .. 'meta', 'opts.maxLenEvents', 'version', 'paused', 'concurrency', 'max', 'duration',
    'corral.peers')
  for _, setting in ipairs(kept) do
    if setting then
      return true
    end
  end
  return false
end
