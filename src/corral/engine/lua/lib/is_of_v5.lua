--- Whether a paused queue keeps its ready ids in `paused`, as BullMQ 5 does: the version in `meta` says so, unless an
--- operator has said which of the two it is (`corral.peers`: 5 or 6).
local function is_of_v5(version, peers)
  if peers then
    return peers == '5'
  end
  return type(version) == 'string' and string.sub(version, 1, 8) == 'bullmq:5'
end
