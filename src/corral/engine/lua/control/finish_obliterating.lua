#!lua flags=allow-oom
--- Delete the keys of a queue that has no job and no schedule left. From here on there is no such queue.
--- @key id                      string  job ids handed out
--- @key meta                    hash    settings of the queue
--- @key events                  stream
--- @key marker                  zset    wake-up tokens
--- @key pc                      string  arrivals so far
--- @key limiter                 string  jobs started in the current window
--- @key stalled                 set     ids seen active at the last check
--- @key stalled_check           string  exists while the next check is not due
--- @key metrics_completed       hash    how many completed
--- @key metrics_completed_data  list    how many completed, by the minute
--- @key metrics_failed          hash    how many failed
--- @key metrics_failed_data     list    how many failed, by the minute
--- @include lib/is_empty
--- @return 1, or 0 when the queue is not empty: then nothing was deleted
--- BullMQ: obliterate
if not is_empty() then
  return 0
end
redis.call('UNLINK', id, meta, events, marker, pc, limiter, stalled, stalled_check, metrics_completed,
  metrics_completed_data, metrics_failed, metrics_failed_data)
return 1
