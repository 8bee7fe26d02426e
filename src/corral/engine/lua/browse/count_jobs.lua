#!lua flags=no-writes
--- Count the jobs of each state: in one look, so that a job on its way is counted once.
--- @key wait              list  ready ids, next at the tail
--- @key paused            list  ready ids of a paused queue (BullMQ 5)
--- @key active            list  job ids that workers hold
--- @key completed         zset  completed ids by time
--- @key failed            zset  failed ids by time
--- @key delayed           zset  job ids by due time
--- @key prioritized       zset  job ids by priority, then arrival
--- @key waiting_children  zset  parents that wait for their children
--- @return how many are waiting, active, completed, failed, delayed, prioritized, waiting for children
--- BullMQ: getCounts
return {
  redis.call('LLEN', wait) + redis.call('LLEN', paused), redis.call('LLEN', active),
  redis.call('ZCARD', completed), redis.call('ZCARD', failed), redis.call('ZCARD', delayed),
  redis.call('ZCARD', prioritized), redis.call('ZCARD', waiting_children),
}
