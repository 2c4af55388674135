import { crc32 } from 'node:zlib'
import type { SessionRecord, Touch, TouchResult } from '@mcp-session/core/backend'
import { frameType } from './frame.ts'
import type { Judge, Step } from './lane.ts'
import type { Captured, Reading } from './reading.ts'
import { deleteFrame, type RecordHead, recordFrame, touchFrame } from './record-frames.ts'
import type { Place, Table } from './table.ts'

/** What calls on records do, as steps of the write lane. */
export interface RecordSteps {
  create(record: SessionRecord, now: number): Judge<boolean>
  /** `lost`: the record that is live instead, to be read. */
  replace(record: SessionRecord, expectedRev: string, now: number): Judge<{ readonly replaced: boolean; readonly lost?: Captured }>
  touch(touch: Touch, now: number): Judge<TouchResult>
  delete(id: string, expectedRev: string | undefined, now: number): Judge<boolean>
  sweep(limit: number, now: number): Judge<{ readonly deleted: number; readonly more: boolean }>
}

/** Rows that a sweep looks at before others have their turn: about 1 ms. */
const visitsPerFlush = 4_096

export function recordSteps(table: Table, reading: Reading): RecordSteps {
  function create(record: SessionRecord, now: number): Judge<boolean> {
    return () => {
      if (table.live(record.id, now) !== -1) return nothing(false)
      const head = { serial: table.nextSerial(), ...record }
      return stores(frameType.create, head, record, true)
    }
  }

  function replace(record: SessionRecord, expectedRev: string, now: number): ReturnType<RecordSteps['replace']> {
    return () => {
      const row = table.live(record.id, now)
      if (row === -1) return nothing({ replaced: false })
      if (table.revOf(row) !== expectedRev) return nothing({ replaced: false, lost: reading.capture(row) })
      // Listings follow serials, so that a new owner's session comes as its last: a listing under way may show it twice, never skip it.
      const serial = table.ownerOf(row) === record.owner ? table.serialOf(row) : table.nextSerial()
      return stores(frameType.replace, { serial, ...record }, record, { replaced: true })
    }
  }

  function stores<T>(type: 1 | 2, head: RecordHead, record: SessionRecord, result: T): Step<T> {
    const frame = recordFrame(type, head, record.data)
    return writes([frame], false, ([at = 0]) => {
      const known = table.find(record.id)
      if (known !== -1) reading.forget(table.placeOf(known).at)
      if (type === frameType.create) table.remove(record.id)
      table.put(head, placeAt(at, frame))
      const { serial: _, ...content } = head
      reading.remember(at, { data: record.data, ...content })
      return result
    })
  }

  function touch({ id, rev, lastAccessedAt, expiresAt }: Touch, now: number): Judge<TouchResult> {
    return () => {
      const row = table.live(id, now)
      if (row === -1) return nothing('missing')
      if (table.revOf(row) !== rev) return nothing('moved')
      if (lastAccessedAt <= table.lastAccessedAtOf(row) && expiresAt <= table.expiresAtOf(row)) return nothing('touched')
      return writes([touchFrame({ id, rev, lastAccessedAt, expiresAt })], false, () => {
        table.touch({ id, revSum: crc32(rev), lastAccessedAt, expiresAt })
        return 'touched'
      })
    }
  }

  function remove(id: string, expectedRev: string | undefined, now: number): Judge<boolean> {
    return () => {
      const row = table.live(id, now)
      if (row === -1 || (expectedRev !== undefined && table.revOf(row) !== expectedRev)) return nothing(false)
      return writes([deleteFrame(id)], true, () => {
        forget(id)
        return true
      })
    }
  }

  function sweep(limit: number, now: number): ReturnType<RecordSteps['sweep']> {
    return (isBusy) => {
      const { rows, more } = table.due(now, limit, visitsPerFlush, (row) => isBusy(table.idOf(row)))
      const ids = rows.map(table.idOf)
      const result = { deleted: ids.length, more: more || ids.length === limit }
      if (ids.length === 0) return nothing(result)
      return writes(ids.map(deleteFrame), true, () => {
        for (const id of ids) forget(id)
        return result
      })
    }
  }

  function forget(id: string): void {
    const row = table.find(id)
    if (row !== -1) reading.forget(table.placeOf(row).at)
    table.remove(id)
  }

  return { create, replace, touch, delete: remove, sweep }
}

/** The place of a frame that was written at `at`. */
export function placeAt(at: number, frame: Buffer): Place {
  return { at, headBytes: frame.readUInt32BE(4), bytes: frame.length }
}

export function nothing<T>(result: T): Step<T> {
  return { frames: [], makesRoom: false, apply: () => result }
}

export function writes<T>(frames: readonly Buffer[], makesRoom: boolean, apply: (places: readonly number[]) => T): Step<T> {
  return { frames, makesRoom, apply }
}
