--- A stored number as a whole one that every client reads exactly, or nil: other programs may have written anything.
local function whole(value)
  local number = tonumber(value or nil)
  if number and number > -9007199254740992 and number < 9007199254740992 then
    return math.floor(number)
  end
  return nil
end
