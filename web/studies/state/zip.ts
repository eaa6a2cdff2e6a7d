/** Archives of files that are stored as they are (PKWARE's APPNOTE, sections 4.3.7, 4.3.12 and 4.3.16). */
const LOCAL_BYTES = 30
const CENTRAL_BYTES = 46
const END_BYTES = 22
const UTF8_NAME = 0x800
const VERSION = 20

const encoder = new TextEncoder()

const CRC = Uint32Array.from({ length: 256 }, (_, start) => {
  let value = start
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

/** The checksum of ISO 3309, by which the server sees that nothing was damaged on the way. */
export function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff
  for (const byte of bytes) value = (value >>> 8) ^ (CRC[(value ^ byte) & 0xff] ?? 0)
  return (value ^ 0xffffffff) >>> 0
}

/** How long the archive will be. */
export function zipSize(files: { path: string; size: number }[]): number {
  const each = files.map(({ path, size }) => size + LOCAL_BYTES + CENTRAL_BYTES + 2 * encoder.encode(path).length)
  return each.reduce((sum, one) => sum + one, END_BYTES)
}

/** A record of little-endian numbers of 2 or 4 bytes. */
function record(...fields: [size: 2 | 4, value: number][]): Uint8Array<ArrayBuffer> {
  const bytes = new DataView(new ArrayBuffer(fields.reduce((sum, [size]) => sum + size, 0)))
  let at = 0
  for (const [size, value] of fields) {
    if (size === 2) bytes.setUint16(at, value, true)
    else bytes.setUint32(at, value, true)
    at += size
  }
  return new Uint8Array(bytes.buffer)
}

export function zip(files: { path: string; bytes: Uint8Array<ArrayBuffer> }[]): Blob {
  const local: Uint8Array<ArrayBuffer>[] = []
  const central: Uint8Array<ArrayBuffer>[] = []
  let offset = 0
  let listed = 0
  for (const { path, bytes } of files) {
    const name = encoder.encode(path)
    // The same fields in both: version, flags, stored, no time and date, checksum, twice the size, length of the name.
    const common: [2 | 4, number][] = [
      [2, VERSION], [2, UTF8_NAME], [2, 0], [2, 0], [2, 0x21], [4, crc32(bytes)], [4, bytes.length], [4, bytes.length], [2, name.length], [2, 0],
    ]
    local.push(record([4, 0x04034b50], ...common), name, bytes)
    central.push(record([4, 0x02014b50], [2, VERSION], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), name)
    offset += LOCAL_BYTES + name.length + bytes.length
    listed += CENTRAL_BYTES + name.length
  }
  const end = record([4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, listed], [4, offset], [2, 0])
  return new Blob([...local, ...central, end])
}
