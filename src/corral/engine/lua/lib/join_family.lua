--- Bring parents and their children of a flow together, and at the end let those parents go that wait for nobody: only
--- then is it known. `family` has of each parent, in their order, the children that it is to wait for, and their names.
--- @key completed  zset  completed ids by time
--- @key failed     zset  failed ids by time
--- @include lib/children
--- @include lib/fields_of
--- @include lib/in_chunks
local MOST_LISTED = 1048576

local function parent_in(family, parent_key)
  local parent = family[parent_key]
  if not parent then
    parent = { key = parent_key, pending = {}, listed = {}, failed = {} }
    family[parent_key] = parent
    family[#family + 1] = parent
  end
  return parent
end

local function list_child(parent, node)
  parent.listed[#parent.listed + 1] = cjson.encode({ node.id, node.name })
end

local function add_child(family, node)
  local parent = parent_in(family, node.parent_key)
  parent.pending[#parent.pending + 1] = node.key
  list_child(parent, node)
end

--- A job that exists becomes a child. What has ended counts as ended.
local function attach_child(family, node)
  local parent = parent_in(family, node.parent_key)
  list_child(parent, node)
  if redis.call('ZSCORE', completed, node.id) then
    local value = fields_of(node.key, 'returnvalue')[1] or 'null'
    redis.call('HSET', parent.key .. ':processed', node.key, value)
  else
    parent.pending[#parent.pending + 1] = node.key
    if redis.call('ZSCORE', failed, node.id) then
      parent.failed[#parent.failed + 1] = node
    end
  end
  redis.pcall('HSET', node.key, 'parentKey', node.parent_key, 'parent', node.parent)
end

--- The order in which children were added stands in a field of Corral's own, `children`: no set of BullMQ's has it.
local function write_list(parent)
  if #parent.listed == 0 then
    return
  end
  local before = fields_of(parent.key, 'children')[1]
  if before and #before > MOST_LISTED then
    return
  end
  local added = table.concat(parent.listed, ',')
  redis.pcall('HSET', parent.key, 'children', before and before .. ',' .. added or added)
end

local function join_family(family, now)
  for _, parent in ipairs(family) do
    if #parent.pending > 0 then
      in_chunks('SADD', parent.key .. ':dependencies', parent.pending)
    end
    write_list(parent)
  end
  for _, parent in ipairs(family) do
    for _, node in ipairs(parent.failed) do
      local reason = fields_of(node.key, 'failedReason')[1] or ''
      child_failed(node.key, parent.key, cjson.decode(node.parent), reason, now)
    end
    release_if_done(parent.key, now)
  end
end
