--- Refuse a queue one of whose keys is not what it should be, before anything is written: a call that fails halfway is
--- carried out in part, and that part anew whenever it is repeated.
--- @key id           string  job ids handed out
--- @key pc           string  priority counter
--- @key wait         list    ready ids, next at the tail
--- @key paused       list    ready ids of a paused queue (BullMQ 5)
--- @key prioritized  zset    ready ids by priority
--- @key delayed      zset    job ids by due time
--- @key marker       zset    wake-up tokens
--- @key events       stream
local function check_kinds()
  local kinds = {
    [id] = 'string', [pc] = 'string', [wait] = 'list', [paused] = 'list', [prioritized] = 'zset', [delayed] = 'zset',
    [marker] = 'zset', [events] = 'stream',
  }
  for key, kind in pairs(kinds) do
    local found = redis.call('TYPE', key).ok
    if found ~= 'none' and found ~= kind then
      error({ err = 'WRONGTYPE ' .. key .. ' is no ' .. kind .. ', but a ' .. found })
    end
  end
end
