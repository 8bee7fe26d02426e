--- Move up to `wanted` ready ids to `active`: first those of `wait`, then by priority.
--- @key wait         list    ready ids, next at the tail
--- @key prioritized  zset    job ids by priority, then arrival
--- @key pc           string  arrivals so far
--- @key active       list    job ids that workers hold
--- @include lib/in_chunks
--- @include lib/word
local function take_ready(wanted)
  local ids = {}
  if wanted == 1 then
    ids[1] = redis.call('RPOPLPUSH', wait, active) or nil
  else
    ids = redis.call('RPOP', wait, word(wanted)) or {}
    if #ids > 0 then
      in_chunks('LPUSH', active, ids)
    end
  end
  if #ids < wanted then
    local asked = wanted - #ids
    local popped = redis.call('ZPOPMIN', prioritized, word(asked))
    if #popped < 2 * asked then
      redis.call('DEL', pc)
    end
    for at = 1, #popped, 2 do
      ids[#ids + 1] = popped[at]
      redis.call('LPUSH', active, popped[at])
    end
  end
  return ids
end
