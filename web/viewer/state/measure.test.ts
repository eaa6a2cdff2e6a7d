import { describe, expect, it } from 'vitest'
import { pan, place, toPicture, toScreen, WHOLE, zoomAt } from './geometry'
import { ctHeader } from './headers'
import { angleOf, areaOf, figuresOf, lengthOf, type MarkKind, NO_SCALE, readings } from './measure'
import { parsePictures } from './parse'
import type { Picture, Pixels } from './types'

const first = (changes = {}) => parsePictures([ctHeader(changes)])[0] as Picture
const CT = first()
const mark = (kind: MarkKind, ...points: [number, number][]) => ({ id: 1, kind, points: points.map(([x, y]) => ({ x, y })) })
const PIXELS: Pixels = { kind: 'gray', rows: 4, columns: 4, data: Int16Array.from({ length: 16 }, (_one, at) => at + 1024) }
const value = (one: unknown) => ({ Value: [one] })

describe('measurements', () => {
  it('are millimetres along rows and columns that are not equally far apart', () => {
    expect(lengthOf(CT, mark('length', [0, 0], [10, 0]).points)).toBeCloseTo(5)
    expect(lengthOf(CT, mark('length', [0, 0], [0, 10]).points)).toBeCloseTo(7)
    expect(lengthOf(CT, mark('length', [0, 0], [10, 10]).points)).toBeCloseTo(Math.hypot(5, 7))
    expect(areaOf(CT, mark('rectangle', [0, 0], [10, 10]))).toBeCloseTo(35)
    expect(areaOf(CT, mark('ellipse', [10, 10], [0, 0]))).toBeCloseTo((35 * Math.PI) / 4)
  })

  it('are angles on the patient, not in pixels', () => {
    expect(angleOf(CT, mark('angle', [10, 0], [0, 0], [0, 10]).points)).toBeCloseTo(90)
    expect(angleOf(CT, mark('angle', [14, 0], [0, 0], [14, 10]).points)).toBeCloseTo(45)
    expect(angleOf(CT, mark('angle', [0, 0], [0, 0], [1, 1]).points)).toBeNull()
  })

  it('are figures of the values whose centres lie inside', () => {
    expect(figuresOf(CT, PIXELS, mark('rectangle', [1, 1], [3, 3]))).toEqual({ pixels: 4, mean: 7.5, deviation: Math.sqrt(4.25), min: 5, max: 10 })
    expect(figuresOf(CT, PIXELS, mark('ellipse', [0, 0], [4, 4]))?.pixels).toBe(12)
    expect(figuresOf(CT, PIXELS, mark('rectangle', [1.1, 1.1], [1.2, 1.2]))).toBeNull()
    expect(readings(mark('rectangle', [1, 1], [3, 3]), CT, PIXELS)).toEqual(['平均 7.5 HU', '标准差 2.1', '面积 1.4 mm²'])
  })
})

describe('a scale', () => {
  const line = mark('length', [0, 0], [10, 0])
  const said = (changes: object) => readings(line, first(changes), PIXELS)

  it('is missing where the header has none, or one that holds on the detector alone', () => {
    expect(said({ '00280030': undefined })).toEqual([NO_SCALE])
    const film = { '00080060': value('DX'), '00181164': { Value: [0.7, 0.5] } }
    expect(said(film)).toEqual([NO_SCALE])
    expect(said({ ...film, '00280030': undefined })).toEqual([NO_SCALE])
    expect(said({ ...film, '00280A02': value('FIDUCIAL') })).toEqual(['5.0 mm'])
    expect(said({ ...film, '00280030': { Value: [0.6, 0.4] } })).toEqual(['4.0 mm'])
  })

  it('of an ultrasound picture holds inside its region alone', () => {
    const region = {
      '00186012': value(1), '00186018': value(0), '0018601A': value(0), '0018601C': value(99), '0018601E': value(99), '00186024': value(3), '00186026': value(3),
      '0018602C': value(0.02), '0018602E': value(0.02),
    }
    const scan = first({ '00080060': value('US'), '00280030': undefined, '00186011': { Value: [region] } })
    expect(lengthOf(scan, mark('length', [0, 0], [100, 0]).points)).toBeCloseTo(20)
    expect(lengthOf(scan, mark('length', [0, 0], [101, 0]).points)).toBeNull()
  })

  it('of many frames stands where all share it', () => {
    const shared = { '52009229': { Value: [{ '00289110': { Value: [{ '00280030': { Value: [2, 2] } }] } }] }, '00280008': value(3), '00280030': undefined }
    const frames = parsePictures([ctHeader(shared)])
    expect(frames.map(({ frame, spacing }) => [frame, spacing?.row])).toEqual([[1, 2], [2, 2], [3, 2]])
  })
})

describe('the order of a stack', () => {
  it('is by number, then along the patient', () => {
    const plane = { '00200037': { Value: [1, 0, 0, 0, 1, 0] } }
    const at = (sop: string, number: number, z: number) => ctHeader({ ...plane, '00080018': value(sop), '00200013': value(number), '00200032': { Value: [0, 0, z] } })
    const pictures = parsePictures([at('c', 2, 0), at('b', 1, 9), at('a', 1, 10), { '00080018': value('report') }])
    expect(pictures.map(({ sop }) => sop)).toEqual(['b', 'a', 'c'])
  })
})

describe('where a picture lies', () => {
  const stage = { width: 800, height: 600 }

  it('is the middle of the stage, as large as it goes', () => {
    const placement = place({ rows: 100, columns: 100, aspect: 1.5 }, stage, WHOLE)
    expect(placement).toEqual({ x: 200, y: 0, scaleX: 4, scaleY: 6 })
    const point = { x: 12.5, y: 70 }
    expect(toPicture(toScreen(point, placement), placement)).toEqual(point)
  })

  it('keeps what lies under the finger while it is enlarged', () => {
    const shape = { rows: 100, columns: 100, aspect: 1 }
    const finger = { x: 123, y: 456 }
    const before = toPicture(finger, place(shape, stage, WHOLE))
    const after = toPicture(finger, place(shape, stage, zoomAt(WHOLE, 2.5, finger, stage)))
    expect(after.x).toBeCloseTo(before.x)
    expect(after.y).toBeCloseTo(before.y)
    expect(zoomAt(WHOLE, 1e9, finger, stage).zoom).toBe(16)
  })

  it('is never moved out of sight', () => {
    expect(pan(WHOLE, 1e9, -1e9, stage)).toEqual({ zoom: 1, panX: 400, panY: -300 })
  })
})
