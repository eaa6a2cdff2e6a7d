import type { PixelFormat, Pixels, Stored } from './types'

/** Turns the bytes of a frame (little endian, decoded) into stored values or RGBA (PS3.5 8, PS3.3 C.7.6.3). */

/** Whether this page can read such pixels itself. */
export function isReadable(format: PixelFormat): boolean {
  if (format.samples === 3) return format.allocated === 8 && /^(RGB|YBR_(FULL|FULL_422|RCT|ICT))$/.test(format.photometric)
  return format.samples === 1 && (format.allocated === 8 || format.allocated === 16) && /^MONOCHROME[12]$/.test(format.photometric)
}

/** How many bytes the decoded frame takes in memory. */
export function sizeOf(format: PixelFormat): number {
  const bytes = format.samples === 1 ? Math.max(1, format.allocated / 8) : 4
  return format.rows * format.columns * bytes
}

/** The values without what lies in the bits beside them: overlays of old machines. */
function withoutOtherBits(words: Uint16Array, format: PixelFormat): Stored {
  const above = 15 - format.highBit
  const below = 16 - format.stored
  if (format.signed) {
    const values = new Int16Array(words.buffer)
    if (below > 0) for (let at = 0; at < values.length; at += 1) values[at] = ((words[at] ?? 0) << (16 + above)) >> (16 + below)
    return values
  }
  if (below > 0) for (let at = 0; at < words.length; at += 1) words[at] = (((words[at] ?? 0) << above) & 0xffff) >> below
  return words
}

function gray(bytes: ArrayBuffer, format: PixelFormat, count: number): Stored {
  if (format.allocated === 16) return withoutOtherBits(new Uint16Array(bytes, 0, count), format)
  return format.signed ? Int16Array.from(new Int8Array(bytes, 0, count)) : new Uint8Array(bytes, 0, count)
}

type Colour = (into: Uint8ClampedArray, at: number, first: number, second: number, third: number) => void

const asRgb: Colour = (into, at, red, green, blue) => {
  into[at] = red
  into[at + 1] = green
  into[at + 2] = blue
  into[at + 3] = 255
}

/** PS3.3 C.7.6.3.1.2; Uint8ClampedArray rounds and clamps. */
const asYbr: Colour = (into, at, luma, blue, red) =>
  asRgb(into, at, luma + 1.402 * (red - 128), luma - 0.344136 * (blue - 128) - 0.714136 * (red - 128), luma + 1.772 * (blue - 128))

/** Y Y B R for each two pixels of a row. */
function halved(bytes: Uint8Array, count: number): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(count * 4)
  for (let at = 0; at < count; at += 1) {
    const pair = (at >> 1) * 4
    asYbr(rgba, at * 4, bytes[pair + (at & 1)] ?? 0, bytes[pair + 2] ?? 0, bytes[pair + 3] ?? 0)
  }
  return rgba
}

function colour(bytes: Uint8Array, format: PixelFormat, count: number): Uint8ClampedArray<ArrayBuffer> {
  if (format.photometric === 'YBR_FULL_422' && bytes.length < count * 3) return halved(bytes, count)
  // YBR_RCT and YBR_ICT are steps inside JPEG 2000: decoded, they are RGB.
  const write = format.photometric.startsWith('YBR_FULL') ? asYbr : asRgb
  const [step, apart] = format.planar ? [1, count] : [3, 1]
  const rgba = new Uint8ClampedArray(count * 4)
  for (let at = 0; at < count; at += 1) {
    const from = at * step
    write(rgba, at * 4, bytes[from] ?? 0, bytes[from + apart] ?? 0, bytes[from + 2 * apart] ?? 0)
  }
  return rgba
}

/** Raises RangeError where there are fewer bytes than pixels. */
export function readPixels(bytes: ArrayBuffer, format: PixelFormat): Pixels {
  const { rows, columns } = format
  const count = rows * columns
  const needed = format.photometric === 'YBR_FULL_422' ? count * 2 : (count * format.samples * format.allocated) / 8
  if (bytes.byteLength < needed) throw new RangeError('the frame is cut off')
  if (format.samples === 1) return { kind: 'gray', data: gray(bytes, format, count), rows, columns }
  return { kind: 'colour', data: colour(new Uint8Array(bytes), format, count), rows, columns }
}
