--- Whether a job has this name, and this text in the reason of its failure. Empty: any.
--- @include lib/fields_of
local function matches(prefix, job_id, name, reason)
  if name == '' and reason == '' then
    return true
  end
  local kept = fields_of(prefix .. job_id, 'name', 'failedReason')
  return (name == '' or kept[1] == name)
    and (reason == '' or kept[2] and string.find(kept[2], reason, 1, true) ~= nil)
end
