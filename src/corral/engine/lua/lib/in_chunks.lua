--- Call `command key …` with all values, a bounded number at a time: Lua's stack holds some thousands.
local function in_chunks(command, key, values)
  for first = 1, #values, 4000 do
    local last = math.min(first + 3999, #values)
    if key then
      redis.call(command, key, unpack(values, first, last))
    else
      redis.call(command, unpack(values, first, last))
    end
  end
end
