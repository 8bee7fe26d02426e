#!lua flags=allow-oom
--- Look at a page of the schedules: each has its pending iteration afterwards, or wants its next times for that.
--- One worker sweeps in an interval.
--- @key repeat_    zset    schedules by next iteration
--- @key schedules  hash    what Corral notes of each schedule
--- @key swept      string  exists while the next sweep is not due
--- @include lib/clock
--- @include lib/continue_schedule
--- @include lib/read_queue
--- @arg prefix       string   what every key of the queue begins with
--- @arg now          string   milliseconds, or empty for the server's time
--- @arg interval_ms  integer  time between sweeps
--- @arg cursor       string   empty for the first page, then what the page before answered
--- @event added waiting delayed duplicated
--- @return the cursor of the next page (0: this was the last), schedules that want their next times or cannot go on
--- BullMQ: none
if redis.call('EXISTS', repeat_, schedules) == 0 then
  return { '0', {} }
end
local now_ms = clock(now)
if cursor == '' and not redis.call('SET', swept, now_ms, 'PX', interval_ms, 'NX') then
  return { '0', {} }
end
local queue, lines, wanting = read_queue(), {}, {}
local page = redis.call('ZSCAN', repeat_, cursor == '' and '0' or cursor, 'COUNT', 50)
for at = 1, #page[2], 2 do
  if continue_schedule(prefix, queue, page[2][at], lines, now_ms) then
    wanting[#wanting + 1] = page[2][at]
  end
end
-- Another program may have removed a schedule and left the notes.
local noted = redis.pcall('HLEN', schedules)
if page[1] == '0' and type(noted) == 'number' and noted > redis.call('ZCARD', repeat_) then
  for _, schedule_id in ipairs(redis.call('HRANDFIELD', schedules, 100)) do
    if not redis.call('ZSCORE', repeat_, schedule_id) then
      redis.call('HDEL', schedules, schedule_id)
    end
  end
end
return { page[1], wanting }
