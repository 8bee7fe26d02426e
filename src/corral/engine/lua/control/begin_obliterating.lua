#!lua flags=allow-oom
--- Pause a queue that is to go, unless workers hold jobs of it.
--- @key meta    hash    settings of the queue
--- @key active  list    job ids that workers hold
--- @key marker  zset    wake-up tokens
--- @key events  stream
--- @arg force_flag  integer  1: also when workers hold jobs
--- @event paused
--- @return 0, or how many jobs workers hold: then nothing was changed
--- BullMQ: pause, obliterate
local held = force_flag == 1 and 0 or redis.call('LLEN', active)
if held == 0 and redis.call('HSET', meta, 'paused', 1) == 1 then
  redis.call('DEL', marker)
  redis.call('XADD', events, '*', 'event', 'paused')
end
return held
