--- What a stored `removeOnComplete` or `removeOnFail` means: how many to keep, and for how many seconds (-1: no limit).
--- @include lib/whole
local function kept_of(policy)
  if type(policy) == 'table' then
    return whole(policy.count) or -1, whole(policy.age) or -1
  end
  if policy == true then
    return 0, -1
  end
  return whole(policy) or -1, -1
end
