--- Delete finished jobs beyond what is kept: older than `keep_age` seconds, or not among the `keep_count` newest
--- (-1: no limit). At most 1,000 of either in a call, so that a changed setting cannot stop the server.
--- @include lib/fields_of
--- @include lib/in_chunks
--- @include lib/job_keys
--- @include lib/unlink_child
--- @include lib/word
local function delete_finished(prefix, finished, ids, now)
  local keys = {}
  for _, job_id in ipairs(ids) do
    local parent_key = fields_of(prefix .. job_id, 'parentKey')[1]
    if parent_key then
      unlink_child(prefix .. job_id, parent_key, now)
    end
    job_keys(keys, prefix .. job_id)
  end
  in_chunks('DEL', nil, keys)
  in_chunks('ZREM', finished, ids)
end

local function trim_finished(prefix, finished, keep_count, keep_age, now)
  if keep_age >= 0 then
    local old = redis.call('ZRANGEBYSCORE', finished, '-inf', word(now - keep_age * 1000), 'LIMIT', '0', '1000')
    delete_finished(prefix, finished, old, now)
  end
  if keep_count >= 0 then
    local excess = redis.call('ZCARD', finished) - keep_count
    if excess > 0 then
      delete_finished(prefix, finished, redis.call('ZRANGE', finished, '0', word(math.min(excess, 1000) - 1)), now)
    end
  end
end
