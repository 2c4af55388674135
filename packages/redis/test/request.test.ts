import { expect, it } from 'vitest'
import { requestOf } from '../src/request.ts'

const texts = ['', 'a', 'é', 'Łódź', '\u{1F511}', '\0\r\n', 'x'.repeat(300), `${'x'.repeat(300)}ž`, '日本', '\ud800']

it('writes what Redis reads, whatever the texts are', () => {
  for (const one of texts) {
    for (const other of texts) {
      const expected = ['set', one, `${one}|${other}`, other].map((text) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`).join('')
      expect(requestOf(['set', one], [[one, '|', other]], [other]).toString()).toBe(Buffer.from(`*4\r\n${expected}`).toString())
    }
  }
})
