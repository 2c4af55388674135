import { expect, test } from 'vitest'
import { contestants } from '../src/sessions/contestants.ts'
import { jobsOf, type Request } from '../src/sessions/plan.ts'

const request: Request = {
  families: ['sqlite'],
  peers: false,
  sessions: 10,
  seconds: 1,
  warmUpSeconds: 1,
  seed: 1,
  load: { kind: 'closed', ops: ['retrieve', 'create'], inFlight: [1], macrotask: false },
}

function named(asked: Request): string[] {
  return jobsOf(contestants, asked).map(({ contestant }) => contestant)
}

test('only our own are measured, unless their peers are asked for', () => {
  expect(named(request)).toEqual(['sqlite', 'sqlite relaxed'])
  expect(named({ ...request, peers: true })).toEqual(contestants.filter(({ family }) => family === 'sqlite').map(({ name }) => name))
})

test('a floor is asked only for what it can do, and not at all where that is nothing', () => {
  const floorOf = (asked: Request) =>
    jobsOf(contestants, { ...asked, peers: true }).find(({ contestant }) => contestant === 'insert in one transaction')
  expect(floorOf(request)?.load).toEqual({ kind: 'closed', cells: [{ op: 'create', inFlight: 1 }], macrotask: false })
  expect(floorOf({ ...request, load: { kind: 'closed', ops: ['retrieve'], inFlight: [1], macrotask: false } })).toBeUndefined()
})

test('at a fixed rate the harness that does nothing runs beside everybody', () => {
  expect(named({ ...request, load: { kind: 'rate', perSecond: 100 } })).toEqual(['idle harness', 'sqlite', 'sqlite relaxed'])
})
