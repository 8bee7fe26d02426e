--- The settings of the queue that decide what may run. `held` means that no job may start now.
--- @key meta    hash  settings of the queue
--- @key active  list  job ids that workers hold
--- @include lib/is_of_v5
--- @include lib/whole
--- @include lib/word
local MAX_EVENTS = '10000'

local function read_queue()
  local kept = redis.call('HMGET', meta, 'paused', 'concurrency', 'max', 'duration', 'opts.maxLenEvents', 'version',
    'corral.peers')
  local queue = {
    paused = kept[1] and true or false,
    concurrency = whole(kept[2]),
    max = whole(kept[3]),
    duration = whole(kept[4]),
    max_events = (whole(kept[5]) or -1) >= 0 and word(whole(kept[5])) or MAX_EVENTS,
    is_new = not kept[5],
    version = kept[6],
  }
  queue.held = queue.paused
  if queue.concurrency and not queue.paused then
    queue.held = redis.call('LLEN', active) >= queue.concurrency
  end
  -- BullMQ 5 keeps the ready ids of a paused queue in `paused`, BullMQ 6 leaves them in `wait`.
  queue.of_v5 = is_of_v5(kept[6], kept[7])
  queue.parks = queue.paused and queue.of_v5
  return queue
end
