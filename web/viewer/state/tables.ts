import type { Raw } from '../../shared/raw'
import { itemsAt, numbersAt, textAt } from './dicomjson'
import type { Picture, Table, Window } from './types'

/** Look-up tables of a header: Modality LUT Sequence and VOI LUT Sequence (PS3.3 C.11.1, C.11.2). */
const WORD = 65_536

function bytesOf(raw: Raw, tag: string): Uint8Array | null {
  const element = raw[tag] as Raw | undefined
  if (typeof element?.InlineBinary !== 'string') return null
  try {
    return Uint8Array.from(atob(element.InlineBinary), (one) => one.charCodeAt(0))
  } catch {
    return null
  }
}

/** Words, little endian; some machines write bytes where entries have 8 bits. */
function entriesOf(raw: Raw, count: number): Uint16Array {
  const bytes = bytesOf(raw, '00283006')
  if (!bytes) return Uint16Array.from(numbersAt(raw, '00283006'))
  if (bytes.length < count * 2) return Uint16Array.from(bytes)
  return Uint16Array.from({ length: count }, (_one, at) => (bytes[2 * at] ?? 0) | ((bytes[2 * at + 1] ?? 0) << 8))
}

function tableOf(raw: Raw, isSigned: boolean): Table | null {
  const [said = 0, begins = 0, bits = 0] = numbersAt(raw, '00283002').map((one) => one & (WORD - 1))
  const count = said || WORD
  const entries = entriesOf(raw, count).slice(0, count)
  const isSound = entries.length === count && bits >= 1 && bits <= 16
  if (!isSound) return null
  // The header may write a negative first value as an unsigned one.
  const first = isSigned && begins >= WORD / 2 ? begins - WORD : begins
  return { first, bits, entries, name: textAt(raw, '00283003') }
}

/** The tables of a sequence; those that are cut off or say nothing sensible are left out. */
export function tablesAt(raw: Raw, tag: string, isSigned: boolean): Table[] {
  return itemsAt(raw, tag).flatMap((item) => tableOf(item, isSigned) ?? [])
}

export function lookUp(table: Table, value: number): number {
  const at = Math.min(table.entries.length - 1, Math.max(0, Math.round(value) - table.first))
  return table.entries[at] ?? 0
}

/** A curve as a window: over the values that it tells apart. */
export function asWindow(table: Table): Window {
  return { center: table.first + table.entries.length / 2, width: table.entries.length, table }
}

/**
 * A window that was chosen, as it is on this picture: its own curve of the same name where a curve was chosen on another one,
 * and only the range where it has none, for a curve is made for the picture in whose header it stands.
 */
export function onPicture(window: Window, { voiTables }: Picture): Window {
  const { table } = window
  if (!table) return window
  const own = voiTables.find(({ entries }) => entries === table.entries) ?? voiTables.find(({ name }) => name === table.name)
  return own ? asWindow(own) : { center: window.center, width: window.width }
}
