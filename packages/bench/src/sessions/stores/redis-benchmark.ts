import type { Measured } from '../closed-loop.ts'
import type { Cell } from '../ops.ts'
import type { Place } from '../store.ts'
import { outputOf } from './program.ts'

/** Redis's own benchmark: one command per call, from a client in C. Its key is a fixed one, which the next run writes again. */
export async function redisBenchmark({ url }: Place, { op, inFlight }: Cell, seconds: number): Promise<Measured> {
  const { hostname, port } = new URL(url)
  const command = op === 'create' ? 'set' : 'get'
  const calls = Math.round(50_000 * seconds)
  const args = ['-h', hostname, '-p', port || '6379', '-c', String(inFlight), '-n', String(calls), '-d', '960', '-t', command, '--csv']
  return measuredIn(await outputOf('redis-benchmark', args), calls)
}

/** Since Redis 6 a heading, then a line: "test","rps","avg_latency_ms","min…","p50…","p95…","p99…","max…". */
function measuredIn(output: string, calls: number): Measured {
  const line = output.trim().split('\n').at(-1) ?? ''
  const [, rate, , , p50, p95, p99, max] = line.split(',').map((cell) => Number(cell.replaceAll('"', '')))
  if (rate === undefined || !(rate > 0)) throw new Error(`redis-benchmark told no rate: ${output}`)
  const us = (ms: number | undefined) => (ms ?? Number.NaN) * 1_000
  const latencies = { p50Us: us(p50), p95Us: us(p95), p99Us: us(p99), maxUs: us(max) }
  return { calls, missed: 0, seconds: calls / rate, opsPerSecond: rate, cpuUs: 0, ...latencies }
}
