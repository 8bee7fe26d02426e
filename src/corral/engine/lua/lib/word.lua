--- A whole number as the word to store. Redis formats the numbers that Lua hands it as floating point, which costs
--- more than most commands; the small ones, which every job has, are ready.
local small = { [0] = '0', [1] = '1', [2] = '2', [3] = '3' }

local function word(number)
  return small[number] or string.format('%d', number)
end
