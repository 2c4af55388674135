import type { DriverError } from '@mcp-session/conformance'
import pg from 'pg'

type Code = 'CORRUPT' | 'INTERNAL' | 'LIMIT' | 'LOCKED' | 'SCHEMA' | 'TOO_LARGE' | 'UNAVAILABLE'

/**
 * The engine's states (https://www.postgresql.org/docs/current/errcodes-appendix.html) as pg throws them, Node's socket errors, what pg
 * throws without a code, and what a store has to make of each.
 */
export const driverErrors: readonly DriverError[] = [
  ...states(['40001', '40P01', '55P03'], 'LOCKED', true),
  ...states(['53100', '53400'], 'LIMIT', true),
  ...states(['53000', '53200', '53300', '57014', '57P03', '25006', '08001', '08004', '26000', '42P05', '0A000'], 'UNAVAILABLE', true),
  ...states(
    ['40003', '08000', '08003', '08006', '08007', '08P01', '57P01', '57P02', '57P04', '57P05', '58000', '58030'],
    'UNAVAILABLE',
    true,
    'unknown',
  ),
  ...states(['25000', '42501', '28000', '28P01', '3D000'], 'UNAVAILABLE', false),
  ...states(['42P01', '42883', '42703', '3F000'], 'SCHEMA', false),
  ...states(['54000', '54023'], 'TOO_LARGE', false),
  ...states(['XX001', 'XX002'], 'CORRUPT', false),
  ...states(['22001', '22003', '22021', '22P02', '22P05', '23502', '23505', '42601', 'P0001', 'XX000'], 'INTERNAL', false),
  ...codes(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EMFILE'], true),
  ...codes(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'], true, 'unknown'),
  ...codes(['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_TLS_CERT_ALTNAME_INVALID'], false),
  {
    name: 'ETIMEDOUT while connecting',
    error: Object.assign(new Error('connect ETIMEDOUT 10.0.0.1:5432'), { code: 'ETIMEDOUT', syscall: 'connect' }),
    expected: expected('UNAVAILABLE', true),
  },
  ...messages(
    [
      'timeout exceeded when trying to connect',
      'timeout expired',
      'Connection terminated due to connection timeout',
      'Client has encountered a connection error and is not queryable',
      'Client was closed and is not queryable',
    ],
    true,
  ),
  ...messages(['Connection terminated unexpectedly', 'Connection terminated', 'Query read timeout'], true, 'unknown'),
  ...messages(
    [
      'Cannot use a pool after calling end on the pool',
      'The server does not support SSL connections',
      'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string',
    ],
    false,
  ),
  ...pooler(['query_wait_timeout', 'no more connections allowed (max_client_conn)', 'pgbouncer cannot connect to server'], 'none'),
  ...pooler(['server conn crashed?', 'server closed the connection unexpectedly', 'query timeout', 'client_idle_timeout'], 'unknown'),
  { name: 'an error of nobody knows whom', error: new Error('boom'), expected: undefined },
]

function states(all: readonly string[], code: Code, retryable: boolean, outcome: 'none' | 'unknown' = 'none'): DriverError[] {
  return all.map((state) => ({
    name: state,
    error: Object.assign(new pg.DatabaseError(`made by the test: ${state}`, 0, 'error'), { code: state, severity: 'ERROR' }),
    expected: expected(code, retryable, outcome),
  }))
}

function pooler(all: readonly string[], outcome: 'none' | 'unknown'): DriverError[] {
  return all.map((message) => ({
    name: `pgbouncer: ${message}`,
    error: Object.assign(new pg.DatabaseError(message, 0, 'error'), { code: '08P01', severity: 'FATAL' }),
    expected: expected('UNAVAILABLE', true, outcome),
  }))
}

function codes(all: readonly string[], retryable: boolean, outcome: 'none' | 'unknown' = 'none'): DriverError[] {
  return all.map((code) => ({
    name: code,
    error: Object.assign(new Error(`made by the test: ${code}`), { code }),
    expected: expected('UNAVAILABLE', retryable, outcome),
  }))
}

function messages(all: readonly string[], retryable: boolean, outcome: 'none' | 'unknown' = 'none'): DriverError[] {
  return all.map((message) => ({ name: message, error: new Error(message), expected: expected('UNAVAILABLE', retryable, outcome) }))
}

function expected(code: Code, retryable: boolean, outcome: 'none' | 'unknown' = 'none') {
  return { code: `MCP_SESSION_${code}` as const, retryable, outcome }
}
