import { appendEvent, readEvents, restoreEvents, theLog } from './event-scripts.ts'
import { eventSuffixes, unowned, untilSuffix } from './keys.ts'
import { maxRevEnd } from './record-value.ts'
import { type Script, scriptOf } from './script.ts'

/**
 * What all scripts on sessions share. Lua's numbers are doubles, and as text they lose digits from 10¹⁴ on (measured): instants stay
 * the text that came, are compared as numbers, and go to commands as numbers, which Redis itself writes out exactly.
 */
const theRecord = `
local standingBytes = ${maxRevEnd - 1}
local never = 9007199254740992
-- Where the arguments of the present call stand in ARGV: of some calls they are too many for a stack.
local first, last

local clock
local function engineNow()
  if not clock then
    local time = redis.call('TIME')
    clock = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  end
  return clock
end

local sums = {[0] = 0, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
  0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c}
local function crc32(text, seed)
  local sum = bit.bnot(seed)
  for i = 1, #text do
    sum = bit.bxor(sum, string.byte(text, i))
    sum = bit.bxor(bit.rshift(sum, 4), sums[bit.band(sum, 15)])
    sum = bit.bxor(bit.rshift(sum, 4), sums[bit.band(sum, 15)])
  end
  return bit.tohex(bit.bnot(sum))
end

-- The first bytes of a record, and 'live', 'dead', 'damaged' or 'none'. Nothing is called dead on the word of a damaged instant.
local function standing(record, now)
  local head = redis.call('GETRANGE', record, 0, standingBytes)
  if head == '' then return head, 'none' end
  local expires = tonumber(string.sub(head, 27, 42))
  local seed = tonumber(string.sub(head, 97, 104), 16)
  if string.sub(head, 1, 1) ~= '1' or not expires or not seed then return head, 'damaged' end
  if expires > now then return head, 'live' end
  if crc32('x' .. string.sub(head, 27, 42), seed) ~= string.sub(head, 43, 50) then return head, 'damaged' end
  return head, 'dead'
end

local function revOf(head)
  local space = string.find(head, ' ', 113, true)
  return space and string.sub(head, 113, space - 1) or ''
end

-- Garbage collection only: an hour after the end, by the earlier of both clocks.
local function keptMs(expires, now)
  return math.max(expires - math.min(now, engineNow()), 0) + 3600000
end

local function keep(key, expires, now)
  if expires < never then redis.call('PEXPIRE', key, keptMs(expires, now)) else redis.call('PERSIST', key) end
end

local function put(record, value, expires, now)
  if expires < never then redis.call('SET', record, value, 'PX', keptMs(expires, now)) else redis.call('SET', record, value) end
end

-- Whether the index of its owner keeps a session long enough; from 2^52 on, for ever.
local function isArmed(head, expires)
  local armed = tonumber(string.sub(head, 51, 66)) or 0
  return armed >= 4503599627370496 or expires <= armed
end

local function ownerOf(head)
  return string.sub(head, 75, 96), string.sub(head, 51, 66)
end

local function deleted(head)
  local digest, armed = ownerOf(head)
  if digest == '${unowned}' then return {'deleted'} end
  return {'deleted', digest, armed}
end
`

const writeRecords = `
local write = {}

write.create = function(record, log, seq, gone, now, value)
  now = tonumber(now)
  local _, state = standing(record, now)
  if state == 'live' then return {'exists'} end
  if state == 'damaged' then return {'damaged'} end
  put(record, value, tonumber(string.sub(value, 27, 42)), now)
  redis.call('DEL', log, seq, gone)
  return {'created'}
end

-- 'arm': the index of its owner does not have it, or not for long enough, and must before the record says so.
write.replace = function(record, log, seq, gone, now, expected, value, armed)
  now = tonumber(now)
  local head, state = standing(record, now)
  if state == 'none' or state == 'dead' then return {'missing'} end
  if state == 'damaged' then return {'damaged'} end
  if revOf(head) ~= expected then return {'lost', redis.call('GET', record)} end
  local expires = tonumber(string.sub(value, 27, 42))
  local events = string.sub(head, 2, 2) == 'E'
  if armed == '' then
    if string.sub(head, 75, 96) ~= string.sub(value, 75, 96) or not isArmed(head, expires) then return {'arm'} end
    value = '1' .. string.sub(head, 2, 2) .. string.sub(value, 3, 50) .. string.sub(head, 51, 74) .. string.sub(value, 75)
  elseif events then
    value = '1E' .. string.sub(value, 3)
  end
  put(record, value, expires, now)
  if events then for _, key in ipairs({log, seq, gone}) do keep(key, expires, now) end end
  return {expires < tonumber(string.sub(head, 27, 42)) and 'shortened' or 'replaced'}
end

write.touch = function(record, log, seq, gone, now, rev, accessed, expires, armed)
  now = tonumber(now)
  local head, state = standing(record, now)
  if state == 'none' or state == 'dead' then return {'missing'} end
  if state == 'damaged' then return {'damaged'} end
  if revOf(head) ~= rev then return {'moved'} end
  local oldAccessed, oldExpires = tonumber(string.sub(head, 3, 18)), tonumber(string.sub(head, 27, 42))
  local newAccessed, newExpires = tonumber(string.sub(accessed, 1, 16)), tonumber(string.sub(expires, 1, 16))
  if not oldAccessed then return {'damaged'} end
  if newAccessed <= oldAccessed and newExpires <= oldExpires then return {'touched'} end
  local until_ = string.sub(head, 51, 74)
  if newExpires > oldExpires then
    if armed ~= '' then
      until_ = armed
    elseif not isArmed(head, newExpires) then
      return {'arm', (ownerOf(head))}
    end
  end
  redis.call('SETRANGE', record, 2, (newAccessed > oldAccessed and accessed or string.sub(head, 3, 26))
    .. (newExpires > oldExpires and expires or string.sub(head, 27, 50)) .. until_)
  if newExpires > oldExpires then
    keep(record, newExpires, now)
    if string.sub(head, 2, 2) == 'E' then for _, key in ipairs({log, seq, gone}) do keep(key, newExpires, now) end end
  end
  return {'touched'}
end

-- A damaged record must not stay for ever: whoever asks for its end gets it.
write.delete = function(record, log, seq, gone, now, rev)
  local head, state = standing(record, tonumber(now))
  if state == 'none' or state == 'dead' then return {'missing'} end
  if rev ~= '' and revOf(head) ~= rev then return {'moved'} end
  redis.call('DEL', record, log, seq, gone)
  return deleted(head)
end

write.expire = function(record, log, seq, gone, now)
  local head, state = standing(record, math.min(tonumber(now), engineNow()))
  if state == 'live' then return {'live', string.sub(head, 27, 42)} end
  if state ~= 'dead' then return {state} end
  redis.call('DEL', record, log, seq, gone)
  return deleted(head)
end
`

const theOwner = `
local index = {}
local forEver = 4503599627370496

-- Drops what nobody can need any more, and lets both keys end with the last session.
local function tidy(byHash, kept)
  local now = engineNow()
  local past = redis.call('ZRANGEBYSCORE', kept, '-inf', now, 'LIMIT', 0, 16)
  if #past > 0 then
    redis.call('ZREM', kept, unpack(past))
    redis.call('ZREM', byHash, unpack(past))
  end
  local longest = redis.call('ZRANGE', kept, -1, -1, 'WITHSCORES')
  if #longest == 0 then return end
  local ends = tonumber(longest[2])
  for _, key in ipairs({byHash, kept}) do
    if ends < forEver then redis.call('PEXPIRE', key, ends - now) else redis.call('PERSIST', key) end
  end
end

-- Answers until when the session is kept: greater each time, so that it also names this arming.
index.arm = function(byHash, kept, id, hash, expires)
  expires = tonumber(expires)
  local armed = math.max(expires, engineNow()) + 3600000
  if armed >= forEver then armed = forEver + engineNow() end
  local known = redis.call('ZSCORE', kept, id)
  if known then armed = math.max(armed, tonumber(known) + 1) end
  redis.call('ZADD', kept, armed, id)
  redis.call('ZADD', byHash, hash, id)
  tidy(byHash, kept)
  return {'armed', string.format('%016.0f', armed)}
end

-- Only the arming that is named: whoever has armed it since is about to create it again.
index.drop = function(byHash, kept, id, armed)
  local known = redis.call('ZSCORE', kept, id)
  if not known or tonumber(known) ~= tonumber(armed) then return {'kept'} end
  redis.call('ZREM', kept, id)
  redis.call('ZREM', byHash, id)
  tidy(byHash, kept)
  return {'dropped'}
end
`

const theDue = `
local due = {}

-- An entry may be early, and is then put right by the sweep; one that is two hours late belongs to nothing that is left.
due.note = function(bucket, now)
  for i = first + 1, last, 2 do redis.call('ZADD', bucket, 'LT', ARGV[i], ARGV[i + 1]) end
  redis.call('ZREMRANGEBYSCORE', bucket, '-inf', math.min(tonumber(now), engineNow()) - 7200000)
  return {'noted'}
end

due.find = function(bucket, now, limit)
  local earlier = math.min(tonumber(now), engineNow())
  return {'found', redis.call('ZRANGEBYSCORE', bucket, '-inf', earlier, 'WITHSCORES', 'LIMIT', 0, limit)}
end

-- Each id with the instant that was found, and the one to put in its place, or none.
due.settle = function(bucket)
  for i = first, last, 3 do
    local known = redis.call('ZSCORE', bucket, ARGV[i])
    if known and tonumber(known) == tonumber(ARGV[i + 1]) then
      if ARGV[i + 2] == '' then redis.call('ZREM', bucket, ARGV[i]) else redis.call('ZADD', bucket, ARGV[i + 2], ARGV[i]) end
    end
  end
  return {'settled'}
end
`

/** KEYS: the key of each call; on a cluster, where all must be named, also the others that begin with it. ARGV: how many calls, then for each its name, how many arguments, and these. */
function callByCall(steps: string, suffixes: readonly string[]): string {
  const named = ['key', ...suffixes.map((suffix) => `key .. '${suffix}'`)].join(', ')
  return `
local outcomes, words = {}, {}
local plain = true
local at = 2
local stride = #KEYS / tonumber(ARGV[1])
for call = 1, tonumber(ARGV[1]) do
  local key = KEYS[(call - 1) * stride + 1]
  local name = ARGV[at]
  first = at + 2
  last = at + 1 + tonumber(ARGV[at + 1])
  local done, outcome = pcall(${steps}[name], ${named}, unpack(ARGV, first, math.min(last, first + 15)))
  -- One call's failure is its own: what a command refused stands in the place of its outcome.
  if not done then outcome = {'failed', type(outcome) == 'table' and outcome.err or tostring(outcome)} end
  outcomes[call] = outcome
  words[call] = outcome[1]
  plain = plain and outcome[2] == nil
  at = last + 1
end
-- As one text it costs the reader a tenth.
return plain and table.concat(words, ' ') or outcomes`
}

function script(steps: string, suffixes: readonly string[], ...parts: readonly string[]): Script {
  return scriptOf([...parts, callByCall(steps, suffixes)].join('\n'), suffixes)
}

export const writeScript: Script = script('write', eventSuffixes, theRecord, theLog, writeRecords, appendEvent, restoreEvents)

export const readScript: Script = script('read', eventSuffixes, theRecord, theLog, readEvents)

export const ownerScript: Script = script('index', [untilSuffix], theRecord, theOwner)

export const dueScript: Script = script('due', [], theRecord, theDue)
