/** Sizes and times that the harnesses make small. Not options: these values were measured, others help nobody. */
export interface Tuning {
  /** A segment is ended once it is this large. */
  readonly segmentBytes: number
  /** Zeros that a segment grows by: one more sync for so many bytes. */
  readonly allocateBytes: number
  /** Zeros that only frames may use which make room: a few thousand deletes on a full disk. */
  readonly reserveBytes: number
  /** Bytes that compaction looks at in one slice. */
  readonly sliceBytes: number
  /** Relaxed mode: time after which what was written is synced. */
  readonly syncAfterMs: number
}

export const defaultTuning: Tuning = {
  segmentBytes: 16 * 1024 * 1024,
  allocateBytes: 1024 * 1024,
  reserveBytes: 256 * 1024,
  sliceBytes: 256 * 1024,
  syncAfterMs: 200,
}
