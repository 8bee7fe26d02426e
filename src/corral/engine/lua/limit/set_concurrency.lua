#!lua flags=allow-oom
--- Set how many jobs of the queue may run at once, over all workers, or take that limit away.
--- @key meta  hash  settings of the queue
--- @include lib/read_queue
--- @include lib/pass_baton
--- @arg most  string  how many, or empty for no limit
--- @return 1
--- BullMQ: setGlobalConcurrency, removeGlobalConcurrency
if most ~= '' then
  redis.call('HSET', meta, 'concurrency', most)
else
  redis.call('HDEL', meta, 'concurrency')
end
pass_baton(read_queue())
return 1
