import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { connectStock, initialize, newSession, ping, post } from './clients.ts'
import { type Program, startProgram } from './programs.ts'

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

describe('express5-bearer', { timeout: 60_000 }, () => {
  let program: Program
  beforeAll(async () => {
    program = await startProgram('express5-bearer')
  }, 60_000)
  afterAll(() => program[Symbol.asyncDispose]())

  it.each([1, 2] as const)('serves a stock client of SDK %i that has a token', async (major) => {
    const client = await connectStock(major, program.url, bearer('alice-today'))
    onTestFinished(() => client.close())
    expect(await client.call('count')).toBe('1')
    expect(await client.call('announce', { text: 'amber' })).toBe('sent')
    expect(await client.heard()).toBe('amber')
  })

  it('answers 401 with a challenge to a request without a token, or with an unknown one', async () => {
    const known = await newSession(program.url, bearer('alice-today'))
    const { authorization: _, ...bare } = known
    for (const headers of [{}, bearer('nobody'), bare, { ...bare, ...bearer('nobody') }]) {
      const answer = await post(program.url, initialize, headers)
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^Bearer /)])
    }
  })

  it('lets the owner go on with a refreshed token, and tells everybody else that there is no such session', async () => {
    const known = await newSession(program.url, bearer('alice-today'))
    expect((await post(program.url, ping, { ...known, ...bearer('alice-tomorrow') })).status).toBe(200)
    const foreign = { ...known, ...bearer('bob-today') }
    expect((await post(program.url, ping, foreign)).status).toBe(404)
    expect((await fetch(program.url, { headers: { ...foreign, accept: 'text/event-stream' } })).status).toBe(404)
    expect((await fetch(program.url, { method: 'DELETE', headers: foreign })).status).toBe(404)
    expect((await post(program.url, ping, known)).status).toBe(200)
  })
})
