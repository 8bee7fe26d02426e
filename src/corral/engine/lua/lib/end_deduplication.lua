--- The owner of a deduplication id has ended: open the window that had no end, and add the job kept for this moment.
--- As in BullMQ, a job from which the id was taken brings the kept job along as well.
--- @include lib/fields_of
--- @include lib/place_job
--- @include lib/priority_of
--- @include lib/store_job
--- @include lib/whole
--- @include lib/word
--- @key id      string  job ids handed out
--- @key events  stream
local function end_deduplication(prefix, queue, owner, deduplication_id, now)
  local owner_key, next_key = prefix .. 'de:' .. deduplication_id, prefix .. 'dn:' .. deduplication_id
  local found = redis.pcall('GET', owner_key)
  -- A key of another type names no owner.
  if (found == owner or type(found) == 'table') and redis.call('PTTL', owner_key) == -1 then
    redis.call('DEL', owner_key)
  end
  local kept = fields_of(next_key, 'name', 'data', 'opts', 'jid', 'pk', 'pd', 'pdk', 'rjk')
  if not (kept[1] and kept[2] and kept[4]) then
    return
  end
  local read, opts = pcall(cjson.decode, kept[3] or '{}')
  if not read or type(opts) ~= 'table' then
    opts = {}
  end
  local rule = type(opts.de) == 'table' and opts.de or {}
  redis.pcall('INCR', id)
  redis.call('DEL', next_key)
  -- A job that was added under this id in the meantime is not touched.
  if redis.call('EXISTS', prefix .. kept[4]) == 1 then
    redis.call('XADD', events, '*', 'event', 'duplicated', 'jobId', kept[4])
    return
  end
  local ttl = not rule.keepLastIfActive and whole(rule.ttl) or 0
  if ttl > 0 then
    redis.call('SET', owner_key, kept[4], 'PX', word(ttl))
  else
    redis.call('SET', owner_key, kept[4])
  end
  local has_parent = kept[5] and kept[6]
  local job = {
    name = kept[1], data = kept[2], opts = kept[3] or '{}', delay = whole(opts.delay) or 0,
    priority = priority_of(opts.priority), front = opts.lifo == true, deduplication_id = deduplication_id,
    parent_key = has_parent and kept[5] or nil, parent = has_parent and kept[6] or nil, schedule_id = kept[8] or nil,
  }
  store_job(prefix, kept[4], job, word(now))
  place_job(queue, kept[4], job, now)
  if has_parent and kept[7] then
    redis.pcall('SADD', kept[7], prefix .. kept[4])
  end
end
