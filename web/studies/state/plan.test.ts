import { describe, expect, it } from 'vitest'
import { OTHER_ARCHIVE, PACK_BYTES, PACK_FILES, packOf, plan } from './plan'
import type { Chosen } from './types'
import { crc32, zip, zipSize } from './zip'

/** A file of a size, without its bytes. */
const file = (path: string, size: number): Chosen => ({ path, file: { name: path, size } as File })
const many = (count: number, size: number) => Array.from({ length: count }, (_one, at) => file(`IM${String(at).padStart(5, '0')}`, size))
const names = (chosen: Chosen[]) => plan(chosen).map((unit) => unit.files.map(({ path }) => path))
const bytes = (text: string) => new TextEncoder().encode(text)

describe('what is sent in one go', () => {
  it('is a large file or an archive by itself, and small ones together', () => {
    const units = plan([file('b', 10), file('big', 4 * 1024 * 1024), file('a.ZIP', 20), file('a', 30), file('empty', 0)])
    expect(units.map(({ packed, files }) => [packed, ...files.map(({ path }) => path)])).toEqual([[false, 'a.ZIP'], [false, 'big'], [true, 'a', 'b']])
  })

  it('is never too much, and ten thousand tiny files are some dozens of uploads', () => {
    const packs = plan(many(10_000, 2000))
    expect(packs).toHaveLength(10_000 / PACK_FILES)
    expect(plan(many(30, 1024 * 1024)).map(({ files }) => files.length)).toEqual([8, 8, 8, 6])
    for (const { files } of plan(many(50, 900_001))) expect(files.reduce((sum, one) => sum + one.file.size, 0)).toBeLessThanOrEqual(PACK_BYTES)
  })

  it('is the same in whatever order a browser lists the files', () => {
    const files = many(1200, 700)
    expect(names(files.toReversed())).toEqual(names(files))
  })

  it('is nothing where everything is empty', () => {
    expect(plan([file('a', 0)])).toEqual([])
  })

  it('is refused beforehand where it is another archive', () => {
    expect(['光盘.rar', 'A.7Z', 'x.tar.gz', 'cd.iso'].every((name) => OTHER_ARCHIVE.test(name))).toBe(true)
    expect(['光盘.zip', 'IM0001', 'rar.dcm'].some((name) => OTHER_ARCHIVE.test(name))).toBe(false)
  })
})

describe('an archive', () => {
  it('has the checksum of the standard', () => {
    expect(crc32(bytes('123456789'))).toBe(0xcbf43926)
    expect(crc32(bytes(''))).toBe(0)
  })

  it('is as long as was told before it was made', async () => {
    const files = [{ path: '光盘/IM1', bytes: bytes('one') }, { path: 'b', bytes: bytes('') }]
    const made = zip(files)
    expect(made.size).toBe(zipSize(files.map(({ path, bytes: { length } }) => ({ path, size: length }))))
    const view = new DataView(await made.arrayBuffer())
    // The end of the central directory: two files, and a list that begins where they end.
    const end = made.size - 22
    expect(view.getUint32(end, true)).toBe(0x06054b50)
    expect(view.getUint16(end + 10, true)).toBe(2)
    expect(view.getUint32(view.getUint32(end + 16, true), true)).toBe(0x02014b50)
    expect(view.getUint32(end + 12, true) + view.getUint32(end + 16, true)).toBe(end)
  })

  it('of a pack is as long as the pack says', () => {
    const files = [new File(['abc'], 'a'), new File(['defg'], 'b')].map((one) => ({ path: one.name, file: one }))
    expect(packOf(files).size).toBe(zip([{ path: 'a', bytes: bytes('abc') }, { path: 'b', bytes: bytes('defg') }]).size)
  })
})
