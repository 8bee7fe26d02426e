--- Append to `list` every key that belongs to one job, its hash first.
local function job_keys(list, job_key)
  local n = #list
  list[n + 1] = job_key
  list[n + 2] = job_key .. ':lock'
  list[n + 3] = job_key .. ':logs'
  list[n + 4] = job_key .. ':dependencies'
  list[n + 5] = job_key .. ':processed'
  list[n + 6] = job_key .. ':failed'
  list[n + 7] = job_key .. ':unsuccessful'
  return list
end
