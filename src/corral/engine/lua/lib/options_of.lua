--- The options of a job as a table, empty where they cannot be read.
local function options_of(text)
  local read, options = pcall(cjson.decode, text or '{}')
  return read and type(options) == 'table' and options or {}
end
