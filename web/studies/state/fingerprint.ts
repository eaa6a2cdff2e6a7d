import type { Chosen, Unit } from './types'

const SAMPLE_BYTES = 64 * 1024

async function digest(value: BufferSource): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', value))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function digestOf(value: unknown): Promise<string> {
  return digest(new TextEncoder().encode(JSON.stringify(value)))
}

/** By what the same choice is known again: 32 hexadecimal digits. */
export async function batchOf(chosen: Chosen[]): Promise<string> {
  const listed = chosen.map(({ path, file }) => `${path}\0${file.size}`)
  listed.sort()
  return (await digestOf(listed)).slice(0, 32)
}

/**
 * By what the same content is known again: 64 hexadecimal digits. Packed files by their names, sizes and times; a file by
 * itself by its size, its beginning and its end, for phones give a chosen file a new time.
 */
export async function fingerprintOf({ packed, files }: Unit): Promise<string> {
  if (packed) return digestOf(files.map(({ path, file }) => [path, file.size, file.lastModified]))
  const samples = files.flatMap(({ file }) => [file.slice(0, SAMPLE_BYTES), file.slice(-SAMPLE_BYTES)])
  const sizes = files.map(({ file }) => file.size).join()
  return digest(await new Blob([sizes, ...samples]).arrayBuffer())
}
