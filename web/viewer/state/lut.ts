import { lookUp } from './tables'
import type { Picture, Pixels, Stored, VoiFunction, Window } from './types'

/** Window and rescale as one table from stored value to grey (PS3.3 C.11.1, C.11.2). */

/** Which grey (0 … 255) a modality value gets. A width below 1 counts as 1. */
export function grey(value: number, window: Window, voi: VoiFunction): number {
  const width = Math.max(1, window.width)
  if (voi === 'SIGMOID') return 255 / (1 + Math.exp((-4 * (value - window.center)) / width))
  const isExact = voi === 'LINEAR_EXACT'
  const [center, span] = isExact ? [window.center, width] : [window.center - 0.5, width - 1]
  if (value <= center - span / 2) return 0
  if (value > center + span / 2) return 255
  return ((value - center) / span + 0.5) * 255
}

/** What a stored value means (PS3.3 C.11.1). */
export function modalityValue(picture: Picture, stored: number): number {
  return picture.modalityTable ? lookUp(picture.modalityTable, stored) : stored * picture.slope + picture.intercept
}

function shownGrey(value: number, window: Window, voi: VoiFunction): number {
  const { table } = window
  return table ? (lookUp(table, value) / (2 ** table.bits - 1)) * 255 : grey(value, window, voi)
}

export interface Lut {
  /** RGBA of each stored value as one little-endian word, beginning with `first`. */
  table: Uint32Array
  first: number
}

/** The table for every value that the data can hold. */
export function makeLut(picture: Picture, data: Stored, window: Window, isInverted: boolean): Lut {
  const first = data instanceof Int16Array ? -(2 ** 15) : 0
  const size = data instanceof Uint8Array ? 256 : 65_536
  const table = new Uint32Array(size)
  const isReversed = (picture.photometric === 'MONOCHROME1') !== isInverted
  for (let at = 0; at < size; at += 1) {
    const level = Math.round(shownGrey(modalityValue(picture, at + first), window, picture.voi))
    const shown = isReversed ? 255 - level : level
    table[at] = (0xff000000 | (shown << 16) | (shown << 8) | shown) >>> 0
  }
  return { table, first }
}

/** Writes the greys of all values; `into` has one word a pixel. */
export function applyLut(data: Stored, lut: Lut, into: Uint32Array): void {
  const { table, first } = lut
  for (let at = 0; at < data.length; at += 1) into[at] = table[(data[at] ?? 0) - first] ?? 0
}

const CUT = 0.005
const SAMPLES = 65_536

/** A window for a picture whose header gives none: all values but the outermost half per cent at either end. */
export function autoWindow(pixels: Pixels, picture: Picture): Window {
  if (pixels.kind !== 'gray') return { center: 128, width: 256 }
  const step = Math.max(1, Math.floor(pixels.data.length / SAMPLES))
  const values: number[] = []
  for (let at = 0; at < pixels.data.length; at += step) {
    const value = pixels.data[at] ?? 0
    if (value !== picture.padding) values.push(modalityValue(picture, value))
  }
  values.sort((one, other) => one - other)
  const low = values[Math.floor(values.length * CUT)] ?? 0
  const high = values[Math.ceil(values.length * (1 - CUT)) - 1] ?? 0
  return { center: (low + high + 1) / 2, width: Math.max(1, high - low + 1) }
}
