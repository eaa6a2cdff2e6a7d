import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { consultationIn, forgetTab, keepTab, readTab } from './tab'

const kept = new Map<string, string>()
const storage = {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
  removeItem: (key: string) => void kept.delete(key),
}
function refuse(): never {
  throw new DOMException('', 'SecurityError')
}

const place = { hash: '', path: '' }
const tab = { token: 't', consultation: 'c 1', entered: true, audio: false, camera: true }

beforeEach(() => {
  kept.clear()
  Object.assign(place, { hash: '', path: '' })
  vi.stubGlobal('sessionStorage', storage)
  vi.stubGlobal('location', place)
  vi.stubGlobal('history', {
    replaceState: (_state: unknown, _title: string, address: string) => {
      const [path = '', hash = ''] = address.split('#')
      Object.assign(place, { path, hash: `#${hash}` })
    },
  })
})
afterEach(() => vi.unstubAllGlobals())

describe('what a tab keeps', () => {
  it('is found again under the number in the address', () => {
    keepTab(tab)
    expect(place.path).toBe('/h5/rooms/c%201')
    expect(readTab()).toEqual(tab)
    const number = place.hash
    keepTab({ ...tab, entered: false })
    expect(place.hash).toBe(number)
    expect(kept.size).toBe(1)
  })

  it('is another one beside it in the same tab', () => {
    keepTab(tab)
    place.hash = ''
    expect(readTab()).toBeNull()
    keepTab({ ...tab, token: 'u' })
    expect(kept.size).toBe(2)
    expect(readTab()?.token).toBe('u')
  })

  it('is gone when it is forgotten', () => {
    keepTab(tab)
    forgetTab()
    expect(readTab()).toBeNull()
  })

  it('is nothing where what was kept is no tab', () => {
    keepTab(tab)
    for (const value of ['x', 'null', '[]', '{}', '5']) {
      kept.set([...kept.keys()][0] ?? '', value)
      expect(readTab()).toBeNull()
    }
  })

  it('does not stop a browser that keeps nothing', () => {
    vi.stubGlobal('sessionStorage', { getItem: refuse, setItem: refuse, removeItem: refuse })
    keepTab(tab)
    expect(place.path).toBe('/h5/rooms/c%201')
    expect(readTab()).toBeNull()
    forgetTab()
  })
})

describe('consultationIn', () => {
  it('reads the address of a card, and none elsewhere', () => {
    expect(consultationIn('/h5/rooms/c%201')).toBe('c 1')
    expect(consultationIn('/h5/rooms/c1/')).toBe('c1')
    for (const path of ['/v', '/h5/rooms/', '/h5/rooms/a/b']) expect(consultationIn(path)).toBeNull()
  })
})
