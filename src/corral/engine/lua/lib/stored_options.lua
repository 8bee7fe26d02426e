--- The options of a stored job as a table, empty where they cannot be read, and the number of the iteration in them.
local function decoded(text)
  local read, value = pcall(cjson.decode, text or '{}')
  return read and type(value) == 'table' and value or {}
end

local function count_of(opts)
  return type(opts['repeat']) == 'table' and tonumber(opts['repeat'].count) or 1
end
