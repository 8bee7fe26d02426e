--- Refuse a queue one of whose keys is not what it should be, before anything is written: a call that fails halfway is
--- carried out in part. `rules` are those of deduplication, of the jobs that have one: they reach further.
--- @key id                string  job ids handed out
--- @key pc                string  priority counter
--- @key wait              list    ready ids, next at the tail
--- @key paused            list    ready ids of a paused queue (BullMQ 5)
--- @key active            list    job ids that workers hold
--- @key prioritized       zset    ready ids by priority
--- @key delayed           zset    job ids by due time
--- @key waiting_children  zset    parents that wait for their children
--- @key completed         zset    completed ids by time
--- @key failed            zset    failed ids by time
--- @key marker            zset    wake-up tokens
--- @key events            stream
--- @key orders            stream  what running workers are told
local function check_kind(key, kind)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= kind then
    error({ err = 'WRONGTYPE ' .. key .. ' is no ' .. kind .. ', but a ' .. found })
  end
end

--- Eighteen digits: it can be counted up, and is none of those numbers that begin with zeros.
local function check_counter(key)
  check_kind(key, 'string')
  local count = redis.call('GET', key) or '0'
  if count ~= '0' and (#count > 18 or not string.find(count, '^-?[1-9]%d*$')) then
    error({ err = 'ERR ' .. key .. ' is no number that can be counted up' })
  end
end

local function check_kinds(rules)
  check_counter(id)
  check_counter(pc)
  local kinds = {
    [wait] = 'list', [paused] = 'list', [prioritized] = 'zset', [delayed] = 'zset', [marker] = 'zset',
    [events] = 'stream',
  }
  for _, rule in pairs(rules) do
    kinds[active] = 'list'
    if rule.supersedes then
      kinds[waiting_children], kinds[completed], kinds[failed], kinds[orders] = 'zset', 'zset', 'zset', 'stream'
    end
  end
  for key, kind in pairs(kinds) do
    check_kind(key, kind)
  end
end
