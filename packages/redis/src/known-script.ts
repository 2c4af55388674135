import { maxRevEnd, standingAt, standingBytes } from './record-value.ts'
import { type Script, scriptOf } from './script.ts'

/**
 * KEYS: records. ARGV: the rev that is known of each, empty for none, each with a space after it; bytes that the values may have together.
 * The first part of the reply has a mark for each: `=` and what may have changed under that rev; `*`: whole, among the other parts; `-`:
 * no such key; `!`: refused, with an error among the other parts; `+`: there was no room. What is damaged there the reader finds out.
 */
const knownText = `
-- What is damaged into other characters has fewer of them than bytes, and would move the marks after it.
local function isAscii(text) return not string.find(text, '[\\128-\\255]') end

local parts = {''}
local marks = {}
local room = tonumber(ARGV[2])
local n = 0
for rev in string.gmatch(ARGV[1], '([^ ]*) ') do
  n = n + 1
  local record = KEYS[n]
  local head = rev == '' and '' or redis.pcall('GETRANGE', record, 0, ${maxRevEnd - 65} + #rev)
  local known, format, events
  if type(head) == 'string' then format, events = string.byte(head, 1, 2) end
  if format == 49 and (events == 45 or events == 69) and string.sub(head, ${maxRevEnd - 64}) == rev .. ' ' then
    known = string.sub(head, ${standingAt + 1}, ${standingAt + standingBytes})
  end
  if known and isAscii(known) then
    marks[n] = '=' .. known
  elseif room <= 0 then
    marks[n] = '+'
  else
    local value = redis.pcall('GET', record)
    if not value then
      marks[n] = '-'
    elseif type(value) == 'table' then
      marks[n] = '!'
      parts[#parts + 1] = value.err
    else
      marks[n] = '*'
      room = room - #value
      parts[#parts + 1] = value
    end
  end
end
parts[1] = table.concat(marks)
return parts`

export const knownScript: Script = scriptOf(knownText, [])
