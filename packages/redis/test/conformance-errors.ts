import type { DriverError } from '@mcp-session/conformance'
import { ReplyError } from 'ioredis'
import { RedisFault } from '../src/redis-errors.ts'

type Code = 'CORRUPT' | 'INTERNAL' | 'LIMIT' | 'TIMEOUT' | 'UNAVAILABLE'

/** Errors of Redis and of ioredis, in their words, and what a store has to make of each. */
export const driverErrors: readonly DriverError[] = [
  ...replies('UNAVAILABLE', true, [
    'LOADING Redis is loading the dataset in memory',
    'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
    'MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.',
    'NOREPLICAS Not enough good replicas to write.',
    "READONLY You can't write against a read only replica.",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    'CLUSTERDOWN The cluster is down',
    'TRYAGAIN Multiple keys request during rehashing of slot',
    'MOVED 3999 127.0.0.1:6381',
    'ASK 3999 127.0.0.1:6381',
    'UNKILLABLE Sorry the script already executed write commands against the dataset.',
    'NOSCRIPT No matching script. Please use EVAL.',
    'ERR max number of clients reached',
  ]),
  ...replies('UNAVAILABLE', false, [
    'NOAUTH Authentication required.',
    'WRONGPASS invalid username-password pair or user is disabled.',
    "NOPERM this user has no permissions to run the 'evalsha' command",
  ]),
  ...replies('LIMIT', true, ["OOM command not allowed when used memory > 'maxmemory'."]),
  ...replies('CORRUPT', false, ['WRONGTYPE Operation against a key holding the wrong kind of value']),
  ...replies('INTERNAL', false, [
    "CROSSSLOT Keys in request don't hash to the same slot",
    'EXECABORT Transaction discarded because of previous errors.',
    "ERR unknown command 'EVALSHA'",
  ]),
  ...failing('UNAVAILABLE', 'unknown', [
    new Error('Connection is closed.'),
    named(
      'MaxRetriesPerRequestError',
      'Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest" option for details.',
    ),
    named('AbortError', 'Command aborted due to connection close'),
    new Error('Too many Cluster redirections. Last error: ReplyError: MOVED 3999 127.0.0.1:6381'),
    Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' }),
    Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT', syscall: 'read' }),
    Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }),
    new RedisFault('unreplicated', 'too few'),
  ]),
  ...failing('UNAVAILABLE', 'none', [
    new Error("Stream isn't writeable and enableOfflineQueue options is false"),
    new Error("Cluster isn't ready and enableOfflineQueue options is false"),
    new Error('None of startup nodes is available'),
    Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6379'), { code: 'ECONNREFUSED', syscall: 'connect' }),
    Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT', syscall: 'connect' }),
    new RedisFault('unsent', 'nothing was sent'),
  ]),
  ...failing('TIMEOUT', 'unknown', [new Error('Command timed out'), new RedisFault('no-reply', 'no answer')]),
  { name: 'an error of nobody knows whom', error: new Error('boom'), expected: undefined },
]

function replies(code: Code, retryable: boolean, texts: readonly string[]): DriverError[] {
  return texts.map((text) => ({
    name: text,
    error: new ReplyError(text),
    expected: { code: `MCP_SESSION_${code}`, retryable, outcome: 'none' },
  }))
}

function failing(code: Code, outcome: 'none' | 'unknown', errors: readonly Error[]): DriverError[] {
  return errors.map((error) => ({ name: error.message, error, expected: { code: `MCP_SESSION_${code}`, retryable: true, outcome } }))
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name })
}
