--- Whether a queue has no job in any state, and no schedule.
--- @key wait              list  ready ids, next at the tail
--- @key paused            list  ready ids of a paused queue (BullMQ 5)
--- @key active            list  job ids that workers hold
--- @key prioritized       zset  job ids by priority, then arrival
--- @key delayed           zset  job ids by due time
--- @key completed         zset  completed ids by time
--- @key failed            zset  failed ids by time
--- @key waiting_children  zset  parents that wait for their children
--- @key repeat_           zset  schedules by next run
local function is_empty()
  return redis.call('EXISTS', wait, paused, active, prioritized, delayed, completed, failed, waiting_children,
    repeat_) == 0
end
