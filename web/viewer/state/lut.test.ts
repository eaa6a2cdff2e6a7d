import { describe, expect, it } from 'vitest'
import { applyLut, autoWindow, grey, makeLut } from './lut'
import { parsePictures } from './parse'
import { presetsFor } from './presets'
import { ctHeader } from './headers'
import type { Picture } from './types'

const [CT] = parsePictures([ctHeader()]) as [Picture]

describe('grey', () => {
  it('follows the examples of PS3.3 C.11.2.1.2.1', () => {
    const window = { center: 2048, width: 4096 }
    expect(grey(0, window, 'LINEAR')).toBe(0)
    expect(grey(4095, window, 'LINEAR')).toBe(255)
    expect(grey(2047.5, window, 'LINEAR')).toBe(127.5)
    expect([0, 1].map((value) => grey(value, { center: 1, width: 1 }, 'LINEAR'))).toEqual([0, 255])
    expect(grey(2048, window, 'LINEAR_EXACT')).toBe(127.5)
    expect(grey(2048, window, 'SIGMOID')).toBe(127.5)
    expect(grey(1e6, window, 'SIGMOID')).toBe(255)
  })

  it('is never less for a greater value', () => {
    for (const voi of ['LINEAR', 'LINEAR_EXACT', 'SIGMOID'] as const) {
      for (const width of [0, 1, 2, 80, 4000]) {
        let before = 0
        for (let value = -1100; value < 3100; value += 7) {
          const now = grey(value, { center: 40, width }, voi)
          expect(now).toBeGreaterThanOrEqual(before)
          before = now
        }
      }
    }
  })
})

describe('the table of greys', () => {
  const data = Int16Array.from([-2000, 0, 1024, 3000])
  const greys = (picture: Picture, isInverted: boolean) => {
    const into = new Uint32Array(4)
    applyLut(data, makeLut(picture, data, { center: 0, width: 2048 }, isInverted), into)
    return [...into].map((word) => word & 0xff)
  }

  it('takes stored values through slope and intercept', () => {
    expect(greys(CT, false)).toEqual([0, 0, 128, 255]) // 1024 stored is 0 HU
  })

  it('is turned round for MONOCHROME1, and by inverting', () => {
    const turned = greys(CT, false).map((one) => 255 - one)
    expect(greys({ ...CT, photometric: 'MONOCHROME1' }, false)).toEqual(turned)
    expect(greys(CT, true)).toEqual(turned)
    expect(greys({ ...CT, photometric: 'MONOCHROME1' }, true)).toEqual(greys(CT, false))
  })
})

describe('windows', () => {
  it('are found for a picture without one, padding left out', () => {
    const values = Int16Array.from({ length: 1000 }, (_one, at) => (at < 500 ? -2000 : at))
    const window = autoWindow({ kind: 'gray', data: values, rows: 1, columns: 1000 }, { ...CT, padding: -2000 })
    expect(window.center - window.width / 2).toBeCloseTo(502 - 1024, 0)
    expect(window.center + window.width / 2).toBeCloseTo(998 - 1024, 0)
  })

  it('are the header\'s, and the usual ones where values are HU', () => {
    const [own] = parsePictures([ctHeader({ '00281050': { vr: 'DS', Value: [-500] }, '00281051': { vr: 'DS', Value: [1400] }, '00281055': { vr: 'LO', Value: ['LUNG'] } })])
    expect(presetsFor(own as Picture).map(({ name }) => name)).toEqual(['原设（肺窗）', '肺窗', '纵隔窗', '骨窗', '脑窗', '软组织', '肝窗'])
    expect(presetsFor({ ...CT, unit: '' })).toEqual([])
  })
})
