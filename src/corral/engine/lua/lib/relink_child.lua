--- A child that had ended runs again: its parent, if there is one, waits for it again. The parent itself stays where it
--- is.
local function relink_child(child_key, parent_key)
  if redis.call('EXISTS', parent_key) == 0 then
    return
  end
  local ended = redis.call('ZREM', parent_key .. ':unsuccessful', child_key)
    + redis.call('HDEL', parent_key .. ':failed', child_key)
    + redis.call('HDEL', parent_key .. ':processed', child_key)
  if ended > 0 then
    redis.call('SADD', parent_key .. ':dependencies', child_key)
  end
end
