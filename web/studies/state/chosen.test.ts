import { describe, expect, it } from 'vitest'
import { filesOf, listed } from './chosen'

const file = (path: string, found: File | null = new File(['x'], path.split('/').at(-1) ?? '')) =>
  ({ isFile: true, fullPath: path, file: (done: (one: File) => void, failed: () => void) => (found ? done(found) : failed()) }) as unknown as FileSystemEntry

/** A folder whose reader gives its entries two at a time, as browsers do. */
const folder = (...entries: FileSystemEntry[]) => {
  const createReader = () => {
    const rest = [...entries]
    return { readEntries: (done: (some: FileSystemEntry[]) => void) => done(rest.splice(0, 2)) }
  }
  return { isFile: false, createReader } as unknown as FileSystemEntry
}

const dropped = (...entries: (FileSystemEntry | null)[]) => ({ items: entries.map((entry) => ({ webkitGetAsEntry: () => entry })) }) as unknown as DataTransfer

describe('files that are dropped', () => {
  it('are found in folders at any depth, all of them', async () => {
    const images = folder(...Array.from({ length: 5 }, (_one, at) => file(`/光盘/IMAGES/IM${at}`)))
    const found = await filesOf(dropped(folder(file('/光盘/autorun.inf'), images), file('/x.zip'), null))
    expect(found.map(({ path }) => path)).toEqual(['光盘/autorun.inf', ...[0, 1, 2, 3, 4].map((at) => `光盘/IMAGES/IM${at}`), 'x.zip'])
  })

  it('are passed over where the browser cannot open one, and the others stay', async () => {
    expect((await filesOf(dropped(file('/a', null), file('/b')))).map(({ path }) => path)).toEqual(['b'])
  })
})

describe('files of an input', () => {
  it('have their path in the folder, or their name', () => {
    const [inside, alone] = [new File([], 'IM1'), new File([], 'x.zip')]
    Object.defineProperty(inside, 'webkitRelativePath', { value: '光盘/IM1' })
    expect(listed([inside, alone] as unknown as FileList).map(({ path }) => path)).toEqual(['光盘/IM1', 'x.zip'])
    expect(listed(null)).toEqual([])
  })
})
