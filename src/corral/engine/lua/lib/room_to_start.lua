--- What the limits of the queue leave: how many jobs may start now (`room`), how many of those that count against the
--- rate (`rate`), and the ms until the rate limit ends (0: it does not stop anything now).
---
--- `limiter` counts the starts of the current window and expires with it. A number beyond all counting in it means that
--- nothing starts until then, also where no rate is set: a handler was told by a service to hold off.
--- @key active   list    job ids that workers hold
--- @key limiter  string  jobs started in the current window
--- @include lib/word
local HELD_OFF = 9007199254740991

--- The rate of this call: the queue's own number wins over the worker's, the worker's window over the queue's (BullMQ).
--- What is no count of starts counts none, and the first start overwrites it.
local function rate_of(queue, run, started)
  local max = queue.max or run.max
  local counts = started and string.find(started, '^[1-9]%d*$')
  return { max = max and math.max(1, max), window = math.max(1, run.window or queue.duration or 1000),
    shared = queue.max and math.max(1, queue.max), started = counts and tonumber(started) or 0 }
end

--- Whether no worker may start a job now. A worker's own limit binds only those that have it.
local function binds_all(rate)
  return rate.started >= (rate.shared or HELD_OFF)
end

local function room_to_start(queue, run, rate)
  if rate.started >= (rate.max or HELD_OFF) then
    local left = redis.call('PTTL', limiter)
    if left > 0 then
      return 0, 0, left
    end
    redis.call('DEL', limiter)
    rate.started = 0
  end
  if queue.paused then
    return 0, 0, 0
  end
  local room = run.wanted
  if queue.concurrency then
    room = math.min(room, queue.concurrency - redis.call('LLEN', active))
  end
  return room, rate.max and rate.max - rate.started or math.huge, 0
end

--- Count starts. Returns the ms until the next job may start, 0 when one may at once.
local function count_starts(rate, counted)
  if not rate.max or counted == 0 then
    return 0
  end
  local is_first = rate.started == 0
  rate.started = rate.started + counted
  if is_first then
    redis.call('SET', limiter, word(counted), 'PX', word(rate.window))
  else
    redis.call('INCRBY', limiter, word(counted))
  end
  if rate.started < rate.max then
    return 0
  end
  return is_first and rate.window or math.max(redis.call('PTTL', limiter), 0)
end

--- Let nothing start for some time, on any worker. What holds them all longer already goes on holding, and a window
--- that is used up is not cut short.
local function hold_off(rate, milliseconds)
  if milliseconds <= 0 then
    return
  end
  local left = rate.started >= (rate.max or HELD_OFF) and redis.call('PTTL', limiter) or 0
  if left > milliseconds and binds_all(rate) then
    return
  end
  redis.call('SET', limiter, word(HELD_OFF), 'PX', word(math.max(left, milliseconds)))
  rate.started = HELD_OFF
end
