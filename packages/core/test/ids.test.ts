import { describe, expect, it } from 'vitest'
import { checkKind, idMint, isIdOfKind, isRotated, revMint, rotatedRev } from '../src/ids.ts'

describe('minted ids', () => {
  it('are the kind, an underscore and 43 characters of base64url', () => {
    const mint = idMint('cart')
    for (let count = 0; count < 200; count += 1) expect(mint()).toMatch(/^cart_[A-Za-z0-9_-]{43}$/)
  })

  it('never repeat, within a maker or across makers', () => {
    const makers = [idMint('s'), idMint('s'), idMint('s')]
    const ids = Array.from({ length: 3_000 }, (_, count) => makers[count % 3]?.())
    expect(new Set(ids).size).toBe(3_000)
  })

  it('use all 256 bits', () => {
    const mint = idMint('s')
    const seen = Array.from({ length: 200 }, () => Buffer.from(mint().slice(2), 'base64url'))
    for (let bit = 0; bit < 256; bit += 1) {
      const set = seen.filter((bytes) => ((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1).length
      expect(set).toBeGreaterThan(0)
      expect(set).toBeLessThan(200)
    }
  })

  it('can be ids of their kind', () => {
    expect(isIdOfKind('s', idMint('s')())).toBe(true)
    expect(isIdOfKind('!node', idMint('!node')())).toBe(true)
  })
})

describe('an id from outside', () => {
  it.each(['s_x', 's_:*?[]{}\'"\\', 's_../evil', `s_${'x'.repeat(253)}`, 's__'])('%s can name a session', (id) => {
    expect(isIdOfKind('s', id)).toBe(true)
  })

  it.each([
    '',
    's',
    's_',
    'x',
    '../evil',
    "x'; drop table sessions; --",
    'a*',
    's_a b',
    's_a\n',
    's_\0',
    's_é',
    `s_${'x'.repeat(254)}`,
    'S_x',
    'sx_y',
    'cart_x',
    '!s_x',
    '!node_x',
    ' s_x',
  ])('%j cannot', (id) => {
    expect(isIdOfKind('s', id)).toBe(false)
  })

  it.each([[5], [undefined], [null], [{}], [['s_x']], [Symbol('x')]])('%s is a mistake of the programmer', (id) => {
    expect(() => isIdOfKind('s', id)).toThrow(TypeError)
    expect(() => isIdOfKind('s', id)).toThrow(/^id must be a string, got (number|undefined|null|object|symbol)$/)
  })
})

describe('a kind', () => {
  it.each(['s', 'cart', 'a1', '!node', 'a'.repeat(16)])('can be %s', (kind) => {
    expect(checkKind(kind)).toBe(kind)
  })

  it.each(['', '!', '!!a', '1a', 'S', 'a_b', 'a b', 'a\n', 'a'.repeat(17), 'é'])('cannot be %j', (kind) => {
    expect(() => checkKind(kind)).toThrow(RangeError)
    expect(() => checkKind(kind)).toThrow(JSON.stringify(kind))
  })

  it('is text', () => {
    expect(() => checkKind(5)).toThrow(TypeError)
  })
})

describe('revs', () => {
  it('never repeat, within a maker or across makers, and are short visible ASCII', () => {
    const makers = [revMint(), revMint()]
    const revs = Array.from({ length: 2_000 }, (_, count) => makers[count % 2]?.() ?? '')
    expect(new Set(revs).size).toBe(2_000)
    for (const rev of revs) expect(rev).toMatch(/^[\x21-\x7e]{1,62}$/)
  })

  it('are marked when their record was rotated away', () => {
    const rev = revMint()()
    expect(isRotated({ rev })).toBe(false)
    expect(isRotated({ rev: rotatedRev(rev) })).toBe(true)
  })

  it('are never taken for marked ones after one flipped bit', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    for (const first of alphabet) {
      for (let bit = 0; bit < 16; bit += 1) {
        const bytes = Buffer.from(`${first}x`)
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(isRotated({ rev: `${bytes.toString('latin1')}yz.1` })).toBe(false)
      }
    }
  })
})
