#!lua flags=allow-oom
--- Drop those ids of a page of a group that are no longer failed, or have failed anew since.
--- @key failed      zset  failed ids by time
--- @key failed_ids  zset  prefix of the groups: the ids of each by time
--- @include lib/in_chunks
--- @arg fingerprint  string
--- @arg first        integer  the rank at which the page begins
--- @arg size         integer  how many ids to look at
--- @return how many were looked at, and how many of these stayed
--- BullMQ: none
local ids = failed_ids .. fingerprint
local page = redis.call('ZRANGE', ids, first, first + size - 1, 'WITHSCORES')
if #page == 0 then
  return { 0, 0 }
end
local members, stale = {}, {}
for at = 1, #page, 2 do
  members[#members + 1] = page[at]
end
local scores = redis.call('ZMSCORE', failed, unpack(members))
for at, member in ipairs(members) do
  if scores[at] ~= page[2 * at] then
    stale[#stale + 1] = member
  end
end
in_chunks('ZREM', ids, stale)
return { #members, #members - #stale }
