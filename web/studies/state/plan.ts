import type { Chosen, Unit } from './types'
import { zipSize } from './zip'

/**
 * How files are sent: large ones each by itself, small ones packed together, so that ten thousand of them are some dozens
 * of uploads. The same files give the same packs, whatever order the browser lists them in.
 */
export const PACK_BYTES = 8 * 1024 * 1024
export const PACK_FILES = 500
const ALONE_BYTES = 4 * 1024 * 1024
const ZIP = /\.zip$/i

/** Archives that the server does not open: said before anything is sent. */
export const OTHER_ARCHIVE = /\.(rar|7z|tar|gz|tgz|bz2|xz|iso|img|nrg)$/i

export function plan(chosen: Chosen[]): Unit[] {
  const sorted = chosen.filter(({ file }) => file.size > 0)
  sorted.sort((one, other) => (one.path < other.path ? -1 : 1))
  const units: Unit[] = []
  let pack: Chosen[] = []
  let bytes = 0

  function close() {
    if (pack.length) units.push(packOf(pack))
    pack = []
    bytes = 0
  }

  for (const one of sorted) {
    if (one.file.size >= ALONE_BYTES || ZIP.test(one.path)) {
      units.push({ packed: false, name: one.path, files: [one], size: one.file.size })
      continue
    }
    if (bytes + one.file.size > PACK_BYTES || pack.length === PACK_FILES) close()
    pack.push(one)
    bytes += one.file.size
  }
  close()
  return units
}

export function packOf(files: Chosen[]): Unit {
  return { packed: true, name: `${files.length}个文件`, files, size: zipSize(files.map(({ path, file }) => ({ path, size: file.size }))) }
}
