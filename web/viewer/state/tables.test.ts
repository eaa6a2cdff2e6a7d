import { describe, expect, it } from 'vitest'
import { ctHeader } from './headers'
import { applyLut, makeLut } from './lut'
import { parsePictures } from './parse'
import { presetsFor } from './presets'
import { asWindow, lookUp, onPicture } from './tables'
import type { Picture, Table } from './types'

const words = (...values: number[]) => btoa(String.fromCharCode(...values.flatMap((one) => [one & 0xff, one >> 8])))
const item = (descriptor: number[], data: object, name = '') => ({
  '00283002': { vr: 'US', Value: descriptor }, '00283003': { vr: 'LO', Value: [name] }, '00283006': data,
})
const picture = (...items: object[]) => parsePictures([ctHeader({ '00283010': { vr: 'SQ', Value: items } })])[0] as Picture

describe('look-up tables of a header', () => {
  it('are read as words, as numbers and as bytes', () => {
    const [table] = picture(item([3, 10, 12], { vr: 'OW', InlineBinary: words(0, 300, 4095) })).voiTables
    expect(table).toMatchObject({ first: 10, bits: 12 })
    expect([...(table as Table).entries]).toEqual([0, 300, 4095])
    expect([...(picture(item([2, 0, 16], { vr: 'US', Value: [7, 65_535] })).voiTables[0] as Table).entries]).toEqual([7, 65_535])
    expect([...(picture(item([4, 0, 8], { vr: 'OW', InlineBinary: btoa('\u0001\u0002\u0003\u0004') })).voiTables[0] as Table).entries]).toEqual([1, 2, 3, 4])
  })

  it('begin below zero where the values do', () => {
    expect(picture(item([2, 64_512, 8], { vr: 'US', Value: [0, 255] })).voiTables[0]?.first).toBe(-1024)
    expect(picture(item([2, -1024, 8], { vr: 'US', Value: [0, 255] })).voiTables[0]?.first).toBe(-1024)
  })

  it('are left out where they are cut off', () => {
    for (const bad of [item([4, 0, 8], { vr: 'US', Value: [1] }), item([2, 0, 0], { vr: 'US', Value: [1, 2] }), item([], {}), item([1, 0, 8], { vr: 'OW', InlineBinary: '*' })]) {
      expect(picture(bad).voiTables).toEqual([])
    }
  })

  it('that were chosen on one picture are its own on the next, and only their range where it has none', () => {
    const [first, second] = [picture(item([3, 0, 8], { vr: 'US', Value: [1, 2, 3] }, 'LUNG')), picture(item([3, 0, 8], { vr: 'US', Value: [4, 5, 6] }, 'LUNG'))]
    const chosen = asWindow(first.voiTables[0] as Table)
    expect(onPicture(chosen, first).table).toBe(first.voiTables[0])
    expect(onPicture(chosen, second).table).toBe(second.voiTables[0])
    expect(onPicture(chosen, { ...second, voiTables: [] })).toEqual({ center: 1.5, width: 3 })
    expect(onPicture({ center: 40, width: 400 }, second)).toEqual({ center: 40, width: 400 })
  })

  it('give their ends to what lies beyond them', () => {
    const [table] = picture(item([3, -1000, 8], { vr: 'US', Value: [10, 20, 30] })).voiTables as [Table]
    expect([-2000, -1000, -999, -998, 5].map((one) => lookUp(table, one))).toEqual([10, 10, 20, 30, 30])
  })

  it('become greys by their own number of bits, and are offered by their names', () => {
    const own = picture(item([3, -1024, 12], { vr: 'US', Value: [0, 2048, 4095] }, 'LUNG'))
    const data = Int16Array.from([0, 1, 2])
    const into = new Uint32Array(3)
    applyLut(data, makeLut(own, data, asWindow(own.voiTables[0] as Table), false), into)
    expect([...into].map((one) => one & 0xff)).toEqual([0, 128, 255])
    expect(presetsFor(own)[0]?.name).toBe('原设（肺窗）')
  })
})
