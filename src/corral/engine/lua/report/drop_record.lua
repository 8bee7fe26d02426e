#!lua flags=allow-oom
--- Forget a worker that leaves.
--- @key worker_records  hash  by instance: what each worker said last, JSON
--- @key worker_beats    zset  instances, by the time when they said it
--- @arg instance  string  the worker
--- @return whether it was known
--- BullMQ: none
redis.call('HDEL', worker_records, instance)
return redis.call('ZREM', worker_beats, instance)
