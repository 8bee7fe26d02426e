--- Write a schedule in the place of what was there, as Node writes it, and Corral's notes beside it.
--- @include lib/read_schedule
--- @include lib/word
local function write_schedule(prefix, schedule)
  local words = { 'name', schedule.name, 'ic', word(schedule.made), 'offset', word(schedule.offset) }
  for field, value in pairs({
    pattern = schedule.pattern, tz = schedule.tz, every = schedule.every and word(schedule.every),
    limit = schedule.limit and word(schedule.limit), startDate = schedule.start_ms and word(schedule.start_ms),
    endDate = schedule.end_ms and word(schedule.end_ms), data = schedule.data ~= '{}' and schedule.data or nil,
    opts = schedule.opts ~= '{}' and schedule.opts or nil,
  }) do
    words[#words + 1] = field
    words[#words + 1] = value
  end
  local schedule_key = prefix .. 'repeat:' .. schedule.id
  redis.call('DEL', schedule_key)
  redis.call('HSET', schedule_key, unpack(words))
  keep_notes(schedule)
end
