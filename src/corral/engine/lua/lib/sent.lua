--- The record of a sender's last call, so that a call whose reply was lost may be sent again.
--- `recall` gives the reply of this very call when it was carried out before; `remember` keeps it for ten minutes. The name
--- of an outbox begins with `outbox:`, and its record is its position in the queue: a relay may be away for long, so that
--- one is kept for a year. Before such a call writes, `begin` notes that it has begun: one that failed halfway is refused
--- when it is repeated, since it would add once more what it has added.
--- A call from before the last one is refused: its sender has had its answer and gone on, and this is a copy that
--- the network kept back.
--- `recall` also gives the text of one more key, where one is named: two keys cost no more than one.
--- @key sent  string  prefix of the records, one a sender
local function is_outbox(sender)
  return string.sub(sender, 1, 7) == 'outbox:'
end

local function recall(sender, number, beside)
  if sender == '' then
    return nil, beside and redis.call('MGET', beside)[1]
  end
  local kept, text = nil, nil
  if beside then
    kept, text = unpack(redis.call('MGET', sent .. sender, beside))
  else
    kept = redis.call('GET', sent .. sender)
  end
  if kept then
    local record = cmsgpack.unpack(kept)
    if record[1] == number then
      if not record[2] then
        error({ err = 'HALFWAY this call was begun before, and failed halfway' })
      end
      return record[2], text
    end
    if tonumber(record[1]) > tonumber(number) then
      error({ err = 'STALE a later call of this sender was carried out before: ' .. record[1] })
    end
  end
  return nil, text
end

local function remember(sender, number, reply)
  if sender ~= '' then
    local kept_ms = is_outbox(sender) and '31536000000' or '600000'
    redis.call('SET', sent .. sender, cmsgpack.pack({ number, reply }), 'PX', kept_ms)
  end
end

local function begin(sender, number)
  if is_outbox(sender) then
    remember(sender, number, nil)
  end
end
