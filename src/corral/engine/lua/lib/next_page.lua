--- Go through a sorted set page by page while its members come and go: a page begins behind (score, id), wherever that
--- place is now, so that none is left out or met twice that stays where it is. Members of one score stand in the order
--- of their bytes.
local function is_behind(member, id)
  for at = 1, math.min(#member, #id) do
    local one, other = string.byte(member, at), string.byte(id, at)
    if one ~= other then
      return one > other
    end
  end
  return #member > #id
end

--- How many members stand before the place: those of a lower score, and of this score those up to `id`.
local function rank_behind(set, score, id)
  local low = redis.call('ZCOUNT', set, '-inf', '(' .. score)
  local high = low + redis.call('ZCOUNT', set, score, score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if is_behind(redis.call('ZRANGE', set, middle, middle)[1], id) then
      high = middle
    else
      low = middle + 1
    end
  end
  return low
end

--- Up to `size` members behind the place and not beyond the score `highest`: member, score, member, score, …
local function next_page(set, score, id, highest, size)
  local first = rank_behind(set, score, id)
  local page = redis.call('ZRANGE', set, first, first + size - 1, 'WITHSCORES')
  local limit = tonumber(highest)
  while #page > 0 and tonumber(page[#page]) > limit do
    page[#page] = nil
    page[#page] = nil
  end
  return page
end
