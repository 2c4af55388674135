/** "Never" in a column of instants: beyond all of them, so that comparisons stay plain. Exact as a number in JavaScript and in SQL. */
export const never = 9_007_199_254_740_992

/**
 * SQL: the sum over a row's numbers. Each is turned by bits and combined by XOR: no value overflows, and any change of one of them
 * changes the sum. `head_crc` stands for everything that a touch leaves alone.
 */
export function sumOf(lastAccessedAt: string, expiresAt: string, seq: string, headCrc: string): string {
  return `(${lastAccessedAt} # ${turned(expiresAt, 21)} # ${turned(seq, 42)} # ${headCrc})`
}

/** SQL: whether the numbers of the row `alias` are those that were written. */
export function intact(alias: string): string {
  const column = (name: string) => `${alias}.${name}`
  return `(${column('check_sum')} = ${sumOf(column('last_accessed_at'), column('expires_at'), column('seq'), column('head_crc'))})`
}

/** SQL: a bigint rotated to the left; its right shift fills with the sign, which the mask takes away. */
function turned(value: string, bits: number): string {
  return `((${value} << ${bits}) | ((${value} >> ${64 - bits}) & ${2 ** bits - 1}))`
}
