--- Look at the nodes of a flow before anything of it is written. Notes of each node: `exists`, there is a job with its
--- id; `counted`, its parent knows it already; `left_out`, its parent takes no more children, because it has begun to
--- run or has ended. Returns nil, or the code of a refusal and the node's place.
--- @include lib/fields_of
--- @include lib/split_key
local MOST_LEVELS = 1000

local function waits_for_children(job_key)
  local base, job_id = split_key(job_key)
  return redis.call('ZSCORE', base .. 'waiting-children', job_id) ~= false
end

local function is_counted(child_key, parent_key)
  return redis.call('SISMEMBER', parent_key .. ':dependencies', child_key) == 1
    or redis.call('HEXISTS', parent_key .. ':processed', child_key) == 1
    or redis.call('HEXISTS', parent_key .. ':failed', child_key) == 1
    or redis.call('ZSCORE', parent_key .. ':unsuccessful', child_key) ~= false
end

--- Nothing, or why a job cannot come where it is to: it would be above itself, or that is too deep to tell. `known`
--- are the jobs that are not above themselves: each is looked at once, however many nodes it is above.
local function refusal_of_place(node, flow, known)
  local above, path, levels = node.parent_key, { [node.key] = true }, 0
  while above and not known[above] do
    if path[above] then
      return -20
    end
    if levels == MOST_LEVELS then
      return -22
    end
    path[above], levels = true, levels + 1
    local there = flow[above]
    above = there and there.parent_key or fields_of(above, 'parentKey')[1] or nil
  end
  for key in pairs(path) do
    known[key] = true
  end
  return nil
end

--- Whether an existing job may become the child of another parent.
local function refusal_to_move(node, flow, known)
  local current = fields_of(node.key, 'parentKey')[1]
  if current and current ~= node.parent_key and redis.call('EXISTS', current) == 1 then
    return -7
  end
  return refusal_of_place(node, flow, known)
end

local function note_parent(node, parent, running)
  if not parent then
    if redis.call('EXISTS', node.parent_key) == 0 then
      return -5
    end
    if node.parent_key ~= running and not waits_for_children(node.parent_key) then
      return -3
    end
  elseif parent.left_out or parent.exists and not parent.waits or parent.counted and not parent.exists then
    node.left_out = true
    return nil
  end
  if not parent or parent.exists then
    node.counted = is_counted(node.key, node.parent_key)
  end
  return nil
end

local function check_flow(nodes, flow, running)
  local known = {}
  for at, node in ipairs(nodes) do
    node.exists = node.own and redis.call('EXISTS', node.key) == 1
    node.waits = node.exists and waits_for_children(node.key)
    if node.parent_key then
      local refusal = node.key == node.parent_key and -20 or note_parent(node, flow[node.parent_key], running)
      if not refusal and node.exists and not node.left_out and not node.counted then
        refusal = refusal_to_move(node, flow, known)
      end
      if refusal then
        return refusal, at
      end
    end
  end
  return nil
end
