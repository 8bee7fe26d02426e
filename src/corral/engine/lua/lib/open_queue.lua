--- Read the settings of the queue, and write those that every queue has: the first job makes a queue known.
--- @key meta  hash  settings of the queue
--- @include lib/read_queue
local function open_queue(library)
  local queue = read_queue()
  if queue.is_new then
    redis.call('HSET', meta, 'opts.maxLenEvents', queue.max_events)
  end
  if not queue.version then
    redis.call('HSET', meta, 'version', library)
  end
  return queue
end
