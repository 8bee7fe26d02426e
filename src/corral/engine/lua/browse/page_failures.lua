#!lua flags=no-writes
--- Read a page of failed jobs, of all or of one group, from a place towards the newest or towards the oldest: what tells
--- them apart. Towards the oldest, the job at the place comes once more, if it is still there.
--- @key failed      zset  failed ids by time
--- @key failed_ids  zset  prefix of the groups: the ids of each by time
--- @include lib/next_page
--- @include lib/failure_of
--- @arg prefix          string   what every key of the queue begins with
--- @arg fingerprint     string   of the group, or empty for all
--- @arg towards_oldest  string   1 if so
--- @arg score           string   the page begins at this time …
--- @arg job_id          string   … and this id
--- @arg size            integer  how many jobs to look at; fewer once 256 KiB are read
--- @return how many there are, how many of them lie beyond the page, the time and the id at its end, and of each in it that
---         is failed: id, time, and the fields of `lib/failure_of`
--- BullMQ: none
local set = fingerprint == '' and failed or failed_ids .. fingerprint
local total, first = redis.call('ZCARD', set), rank_behind(set, score, job_id)
local page = {}
if towards_oldest ~= '1' then
  page = redis.call('ZRANGE', set, first, first + size - 1, 'WITHSCORES')
elseif first > 0 then
  page = redis.call('ZREVRANGE', set, total - first, total - first + size - 1, 'WITHSCORES')
end
local looked, read, rows = 0, 0, {}
for at = 1, #page, 2 do
  if read > 262144 then
    break
  end
  looked, score, job_id = looked + 1, page[at + 1], page[at]
  if fingerprint == '' or redis.call('ZSCORE', failed, job_id) == score then
    rows[#rows + 1] = { job_id, score, unpack(failure_of(prefix, job_id)) }
    for _, text in ipairs(rows[#rows]) do
      read = read + #text
    end
  end
end
local beyond = (towards_oldest == '1' and first or total - first) - looked
return { total, beyond, score, job_id, unpack(rows) }
