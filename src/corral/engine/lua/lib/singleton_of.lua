--- The rule of a singleton job: its key, and whether it is skipped where another job holds the key. It stands in the
--- job's options (`singleton`), or the worker that claims has declared it for jobs of this name, which Node has added.
--- Nothing for all other jobs, and for one that only carries its failure (`defa`): its handler does not run.
--- @include lib/options_of
--- @include lib/whole
local function declared_singletons(text)
  return text ~= '' and cjson.decode(text) or {}
end

local function declared_key(declared, name, data)
  if not declared.field then
    return name
  end
  local value = options_of(data)[declared.field]
  if type(value) == 'number' and whole(value) == value then
    value = string.format('%.0f', value)
  end
  return type(value) == 'string' and value ~= '' and name .. ':' .. value or nil
end

local function singleton_of(job, run)
  local name, data, text = job[1], job[2], job[3]
  if job[10] then
    return nil
  end
  if text and string.find(text, '"singleton":', 1, true) then
    local rule = options_of(text).singleton
    if type(rule) == 'table' and type(rule.key) == 'string' then
      return { key = rule.key, skips = rule['else'] == 'skip' }
    end
  end
  local declared = name and run.singletons[name]
  local key = declared and declared_key(declared, name, data)
  return key and { key = key, skips = declared['else'] == 'skip' } or nil
end
