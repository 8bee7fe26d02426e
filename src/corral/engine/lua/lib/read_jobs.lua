--- Read the hashes of some jobs: at most 250, and none more once a mebibyte is read. For each an answer: its fields
--- and values, false when there is none, and nothing (an empty answer) when its key holds something else.
local function read_jobs(prefix, ids)
  local found, size = {}, 0
  for at = 1, math.min(#ids, 250) do
    local flat = redis.pcall('HGETALL', prefix .. ids[at])
    if flat.err then
      flat = {}
    elseif #flat == 0 then
      flat = false
    end
    found[at] = flat
    for _, text in ipairs(flat or {}) do
      size = size + #text
    end
    if size > 1048576 then
      break
    end
  end
  return found
end
