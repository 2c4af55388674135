/**
 * A session's events: `log` is a hash with the data (`d<sequence>`), the sequence of each key (`k<key>`) and the counts; `seq` a sorted
 * set of "<sequence> <createdAt> <bytes> <sum> <key> <stream>" by sequence; `gone` one of streams by how far each was trimmed.
 */
export const theLog = `
local function exact(number) return string.format('%.0f', number) end

-- Nothing where a count is no number.
local counts = {'last', 'oldest', 'inner', 'count', 'bytes', 'cut'}
local function logOf(log)
  local stored = redis.call('HMGET', log, unpack(counts))
  local found = {last = 0, oldest = 1, inner = 1, count = 0, bytes = 0, cut = 0}
  for i, name in ipairs(counts) do
    found[name] = tonumber(stored[i] or found[name])
    if not found[name] then return nil end
  end
  return found
end

local function saveLog(log, found)
  local pairs_ = {}
  for _, name in ipairs(counts) do
    pairs_[#pairs_ + 1] = name
    pairs_[#pairs_ + 1] = found[name]
  end
  redis.call('HSET', log, unpack(pairs_))
end

-- Nothing for a member that is damaged, or stands under another sequence than its own; the sum is for the reader to check.
local function eventOf(member, score)
  local sequence, at, bytes, sum, key, stream = string.match(member, '^(%d+) (%d+) (%d+) (%x+) (%S+) (.*)$')
  if not sequence or tonumber(sequence) ~= tonumber(score) then return nil end
  return {text = sequence, sequence = tonumber(sequence), at = at, bytes = tonumber(bytes), sum = sum, key = key, stream = stream}
end

local function isInternal(stream) return string.sub(stream, 1, 1) == '!' end

-- The first write is the one that a full server refuses: then nothing was written.
local function store(log, seq, found, sequence, at, bytes, sum, key, stream, data)
  redis.call('HSET', log, 'd' .. sequence, data, 'k' .. key, sequence)
  redis.call('ZADD', seq, sequence, table.concat({sequence, at, bytes, sum, key, stream}, ' '))
  if isInternal(stream) then return end
  found.count = found.count + 1
  found.bytes = found.bytes + tonumber(bytes)
end

-- Events live and die with their session.
local function follow(record, log, seq, gone)
  redis.call('SETRANGE', record, 1, 'E')
  local left = redis.call('PTTL', record)
  for _, key in ipairs({log, seq, gone}) do
    if left > 0 then redis.call('PEXPIRE', key, left) else redis.call('PERSIST', key) end
  end
end
`

export const appendEvent = `
-- Walks through all but the newest event, from a sequence on, until 'visit' says stop; gives the sequence to begin with next time.
local function fromOldest(seq, from, last, visit)
  while from < last do
    local members = redis.call('ZRANGEBYSCORE', seq, from, '(' .. exact(last), 'WITHSCORES', 'LIMIT', 0, 8)
    if #members == 0 then return last end
    for i = 1, #members, 2 do
      local event = eventOf(members[i], members[i + 1])
      if not event then redis.call('ZREM', seq, members[i]) elseif visit(event, members[i]) == 'stop' then return from end
      from = math.floor(tonumber(members[i + 1])) + 1
    end
  end
  return from
end

local function trim(log, seq, gone, found, maxEvents, maxBytes, oldestAt, oldestInternalAt)
  local function remove(event, member)
    redis.call('ZREM', seq, member)
    redis.call('HDEL', log, 'd' .. event.text, 'k' .. event.key)
    redis.call('ZADD', gone, 'GT', event.text, event.stream)
  end
  found.oldest = fromOldest(seq, found.oldest, found.last, function(event, member)
    if isInternal(event.stream) then return end
    local old = oldestAt and tonumber(event.at) < oldestAt
    if not old and not (maxEvents and found.count > maxEvents) and not (maxBytes and found.bytes > maxBytes) then return 'stop' end
    remove(event, member)
    found.count = found.count - 1
    found.bytes = found.bytes - event.bytes
  end)
  if oldestInternalAt then
    found.inner = fromOldest(seq, found.inner, found.last, function(event, member)
      if not isInternal(event.stream) then return end
      if tonumber(event.at) >= oldestInternalAt then return 'stop' end
      remove(event, member)
    end)
  end
  -- A session that opens a stream per request names new ones for ever: the oldest trimmed ones are remembered together only.
  local beyond = found.last % 256 == 0 and redis.call('ZCARD', gone) - 4096 or 0
  if beyond > 0 then
    local newest = redis.call('ZRANGE', gone, beyond - 1, beyond - 1, 'WITHSCORES')
    found.cut = math.max(found.cut, tonumber(newest[2]))
    redis.call('ZREMRANGEBYRANK', gone, 0, beyond - 1)
  end
end

write.append = function(record, log, seq, gone, now, key, stream, data, bytes, sum, maxEvents, maxBytes, oldestAt, oldestInternalAt)
  local _, state = standing(record, tonumber(now))
  if state == 'damaged' then return {'damaged'} end
  if state ~= 'live' then return {'missing'} end
  local known = redis.call('HGET', log, 'k' .. key)
  if known then return {'at', known} end
  local found = logOf(log)
  if not found then return {'damaged'} end
  found.last = found.last + 1
  local sequence = exact(found.last)
  store(log, seq, found, sequence, now, bytes, sum, key, stream, data)
  trim(log, seq, gone, found, tonumber(maxEvents), tonumber(maxBytes), tonumber(oldestAt), tonumber(oldestInternalAt))
  saveLog(log, found)
  follow(record, log, seq, gone)
  return {'at', sequence}
end
`

export const restoreEvents = `
write.restore = function(record, log, seq, gone, now, newest, cut)
  local _, state = standing(record, tonumber(now))
  if state == 'damaged' then return {'damaged'} end
  if state ~= 'live' then return {'missing'} end
  local found = logOf(log)
  if not found then return {'damaged'} end
  for i = first + 3, last, 7 do
    local sequence, at, bytes, sum, key, stream, data = unpack(ARGV, i, i + 6)
    if redis.call('HEXISTS', log, 'd' .. sequence) == 0 and redis.call('HEXISTS', log, 'k' .. key) == 0 then
      store(log, seq, found, sequence, at, bytes, sum, key, stream, data)
      found.oldest = math.min(found.oldest, tonumber(sequence))
      found.inner = math.min(found.inner, tonumber(sequence))
    end
  end
  found.last = math.max(found.last, tonumber(newest))
  found.cut = math.max(found.cut, tonumber(cut))
  saveLog(log, found)
  follow(record, log, seq, gone)
  return {'restored'}
end
`

export const readEvents = `
local read = {}
local pageBytes = 4194304
local roomBytes = 2 * pageBytes

local function isGone(gone, after, streams)
  if not streams then
    local newest = redis.call('ZRANGE', gone, -1, -1, 'WITHSCORES')
    return #newest > 0 and tonumber(newest[2]) > after
  end
  for stream in pairs(streams) do
    local through = redis.call('ZSCORE', gone, stream)
    if through and tonumber(through) > after then return true end
  end
  return false
end

-- 'again': other calls of this script have filled the reply.
read.events = function(record, log, seq, gone, now, after, limit, oldestAt)
  if roomBytes <= 0 then return {'again'} end
  local _, state = standing(record, tonumber(now))
  if state == 'damaged' then return {'damaged'} end
  if state ~= 'live' then return {'missing'} end
  after, limit, oldestAt = tonumber(after), tonumber(limit), tonumber(oldestAt)
  local streams
  for i = first + 4, last do
    streams = streams or {}
    streams[ARGV[i]] = true
  end
  local found = logOf(log)
  if not found then return {'damaged'} end
  local trimmed = after > found.last or after < found.cut or isGone(gone, after, streams)
  local page, events, bytes, full = {}, 0, 0, false
  after = exact(after)
  while not full or (oldestAt and not trimmed) do
    local members = redis.call('ZRANGEBYSCORE', seq, '(' .. after, '+inf', 'WITHSCORES', 'LIMIT', 0, 128)
    if #members == 0 then break end
    for i = 1, #members, 2 do
      local event = eventOf(members[i], members[i + 1])
      after = members[i + 1]
      if not event then
        trimmed = true
      elseif not streams or streams[event.stream] then
        if oldestAt and tonumber(event.at) < oldestAt then
          trimmed = true
        elseif not full then
          full = events >= limit or (events > 0 and bytes + event.bytes > pageBytes)
          if not full then
            events = events + 1
            bytes = bytes + event.bytes
            for _, part in ipairs({event.text, event.at, exact(event.bytes), event.sum, event.key, event.stream, redis.call('HGET', log, 'd' .. event.text) or ''}) do
              page[#page + 1] = part
            end
          end
        end
      end
    end
  end
  roomBytes = roomBytes - bytes
  return {'page', exact(found.last), trimmed and '1' or '0', page}
end
`
