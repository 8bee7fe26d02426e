--- What the limits of the queue leave: how many jobs may start now (`room`), how many of those that count against the
--- rate (`rate`), and the ms until the rate limit ends (0: it does not stop anything now).
---
--- `limiter` counts the starts of the current window and expires with it. A number beyond all counting in it means that
--- nothing starts until then, also where no rate is set: a handler was told by a service to hold off.
--- @key active   list    job ids that workers hold
--- @key limiter  string  jobs started in the current window
local HELD_OFF = 9007199254740991

--- The rate of this call: the queue's own number wins over the worker's, the worker's window over the queue's (BullMQ).
local function rate_of(queue, run, started)
  local max = queue.max or run.max
  return { max = max and math.max(1, max), window = run.window or queue.duration or 1000,
    started = tonumber(started or 0) or 0 }
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
  local started = redis.call('INCRBY', limiter, counted)
  if started == counted then
    redis.call('PEXPIRE', limiter, rate.window)
  end
  return started >= rate.max and math.max(redis.call('PTTL', limiter), 0) or 0
end

--- Let nothing start for some time. What holds longer already goes on holding.
local function hold_off(rate, milliseconds)
  local exhausted = rate.started >= (rate.max or HELD_OFF)
  if milliseconds <= 0 or exhausted and redis.call('PTTL', limiter) > milliseconds then
    return
  end
  redis.call('SET', limiter, string.format('%.0f', HELD_OFF), 'PX', string.format('%.0f', milliseconds))
  rate.started = HELD_OFF
end
