--- A stored priority as one that there is: 0 (none) to 2,097,152.
--- @include lib/whole
local function priority_of(value)
  return math.min(math.max(whole(value) or 0, 0), 2097152)
end
