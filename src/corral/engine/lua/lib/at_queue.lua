--- Turn to another queue: from here on the keys are those of the queue whose names are given (`names_of`, once a queue).
--- What a script of several queues needs, because each library file speaks of one queue by these names. All queues
--- have to be in one hash slot.
--- @key id                string  job ids handed out
--- @key meta              hash    settings of the queue
--- @key wait              list    ready ids, next at the tail
--- @key paused            list    ready ids of a paused queue (BullMQ 5)
--- @key active            list    job ids that workers hold
--- @key prioritized       zset    job ids by priority, then arrival
--- @key pc                string  arrivals so far
--- @key delayed           zset    job ids by due time
--- @key completed         zset    completed ids by time
--- @key failed            zset    failed ids by time
--- @key waiting_children  zset    parents that wait for their children
--- @key events            stream
--- @key marker            zset    wake-up tokens
--- @key orders            stream  what running workers are told
local function names_of(base)
  local outer, queue = string.match(base, '^(.*):([^:]*):$')
  return {
    base .. 'id', base .. 'meta', base .. 'wait', base .. 'paused', base .. 'active', base .. 'prioritized',
    base .. 'pc', base .. 'delayed', base .. 'completed', base .. 'failed', base .. 'waiting-children',
    base .. 'events', base .. 'marker', outer .. '::corral:' .. queue .. ':orders',
  }
end

local function at_queue(names)
  id, meta, wait, paused, active, prioritized, pc, delayed, completed, failed, waiting_children, events, marker,
    orders = unpack(names)
end
