import { describe, expect, it } from 'vitest'
import { place, toScreen, type View, WHOLE } from './geometry'
import { ctHeader } from './headers'
import { parsePictures, parseSeries, parseStudy } from './parse'
import { asWindow } from './tables'
import { between, type DrawnMark, MOST_MARKS, readSight, sightOf, viewOf, windowOf, writeSight } from './together'
import type { Picture, Point } from './types'

const study = parseStudy({ '0020000D': { Value: ['1.2'] } })
const series = parseSeries({ '0020000E': { Value: ['1.2.3'] } }, study)
const CT = parsePictures([ctHeader({ '00280030': { Value: [0.7, 0.7] } })])[0] as Picture
const DESKTOP = { width: 1100, height: 700 }
const PHONE = { width: 374, height: 500 }
const WINDOW = { center: -600, width: 1500 }

const looked = (view: View, stage = DESKTOP, pointer: Point | null = null) =>
  sightOf({ series, picture: CT, stage, view, window: WINDOW, isInverted: false, pointer, marks: [] })

const curve = (name: string) => ({ first: 0, bits: 8, entries: Uint16Array.from({ length: 256 }, (_one, at) => at), name })

/** What of the picture lies on a stage, in shares: left, top, right, bottom. */
function onStage(view: View, stage: typeof PHONE) {
  const first = toScreen({ x: 0, y: 0 }, place(CT, stage, view))
  const last = toScreen({ x: CT.columns, y: CT.rows }, place(CT, stage, view))
  const [width, height] = [last.x - first.x, last.y - first.y]
  return [-first.x / width, -first.y / height, (stage.width - first.x) / width, (stage.height - first.y) / height] as const
}

describe('a sight', () => {
  it('is on a stage of the same size what the leader sees', () => {
    for (const view of [WHOLE, { zoom: 2.5, panX: 120, panY: -340 }, { zoom: 0.5, panX: 0, panY: 0 }, { zoom: 1, panX: 200, panY: 0 }, { zoom: 16, panX: 4000, panY: 900 }]) {
      const shown = viewOf(looked(view), CT, DESKTOP)
      expect(shown.zoom).toBeCloseTo(view.zoom, 1)
      expect(shown.panX / shown.zoom).toBeCloseTo(view.panX / view.zoom, 1)
      expect(shown.panY / shown.zoom).toBeCloseTo(view.panY / view.zoom, 1)
    }
  })

  it('is whole everywhere where it is whole', () => {
    expect(viewOf(looked(WHOLE), CT, PHONE)).toEqual({ zoom: 1, panX: 0, panY: 0 })
  })

  it('lies on a stage of another shape with all that the leader sees', () => {
    const view = { zoom: 2.5, panX: 120, panY: -340 }
    const { area } = looked(view)
    const [left, top, right, bottom] = onStage(viewOf(looked(view), CT, PHONE), PHONE)
    expect(left).toBeLessThanOrEqual(area[0] + 0.01)
    expect(top).toBeLessThanOrEqual(area[1] + 0.01)
    expect(right).toBeGreaterThanOrEqual(area[2] - 0.01)
    expect(bottom).toBeGreaterThanOrEqual(area[3] - 0.01)
    expect(viewOf(looked(view), CT, PHONE).zoom).toBeGreaterThan(1.3)
  })

  it('says where the leader points on the picture, not on their screen', () => {
    expect(looked({ zoom: 3, panX: 10, panY: 10 }, PHONE, { x: 128, y: 256 }).pointer).toEqual({ x: 0.25, y: 0.5 })
    expect(looked(WHOLE).pointer).toBeNull()
  })

  it('is read as it was written, and small', () => {
    const sight = looked({ zoom: 1 / 3, panX: -1234.5678, panY: 0.1 }, DESKTOP, { x: 1.23456789, y: 2 })
    expect(readSight(writeSight(sight))).toEqual(sight)
    const long = { ...sight, series: '1'.repeat(64), sop: '1'.repeat(64) }
    expect(writeSight(long).length).toBeLessThan(500)
    expect(readSight(writeSight(long))).toEqual(long)
  })

  it('carries what the leader has drawn, as finely as it is measured', () => {
    const marks: DrawnMark[] = [
      { kind: 'length', points: [{ x: 1.25, y: 2 }, { x: 100.03, y: 51.77 }] },
      { kind: 'angle', points: [{ x: 1, y: 2 }, { x: 3, y: 4 }] },
      { kind: 'ellipse', points: [{ x: 10, y: 20 }, { x: 30, y: 44.5 }] },
    ]
    const sight = { ...looked(WHOLE), marks }
    expect(readSight(writeSight(sight))?.marks).toEqual(marks)
  })

  it('fits into what a room carries however much is drawn', () => {
    const angle: DrawnMark = { kind: 'rectangle', points: Array.from({ length: 3 }, () => ({ x: 16_383.97, y: 16_383.97 })) }
    const sight = sightOf({ series, picture: CT, stage: DESKTOP, view: { zoom: 1 / 3, panX: 1.234567, panY: 2.345678 }, window: { center: -1234.567, width: 12_345.678 }, isInverted: false, pointer: { x: 1.2345, y: 2.3456 }, marks: Array.from({ length: 50 }, () => angle) })
    const text = writeSight({ ...sight, series: '1'.repeat(64), sop: '1'.repeat(64) })
    expect(text.length).toBeLessThan(2000) // MAX_STATE in media/messages.py
    expect(sight.marks).toHaveLength(MOST_MARKS)
  })

  it('leaves out marks that are none', () => {
    const good = JSON.parse(writeSight(looked(WHOLE))) as Record<string, unknown>
    const marks = [['length', 1, 2], ['length', 1, 2, 3], ['length', 1, 2, 3, 4, 5, 6], ['star', 1, 2, 3, 4], ['angle', 1, 2, 3, '4'], null, 'length', ['length', 1, 2, 3, 4]]
    expect(readSight(JSON.stringify({ ...good, marks }))?.marks).toEqual([{ kind: 'length', points: [{ x: 1, y: 2 }, { x: 3, y: 4 }] }])
    for (const other of [undefined, {}, 7]) expect(readSight(JSON.stringify({ ...good, marks: other }))?.marks).toEqual([])
  })

  it('is none where another page wrote something else', () => {
    const good = JSON.parse(writeSight(looked(WHOLE))) as Record<string, unknown>
    for (const change of [
      { series: '../1' }, { series: 1 }, { sop: '' }, { sop: '1'.repeat(65) }, { frame: 0 }, { frame: null }, { curve: null }, { zoom: 0 }, { zoom: -1 }, { zoom: '1' },
      { window: [1] }, { window: null }, { centre: ['0', 0] }, { area: [0, 0, 1] }, { area: {} },
    ]) expect(readSight(JSON.stringify({ ...good, ...change }))).toBeNull()
    for (const text of ['', 'null', '[]', '{', '"1.2"', '{"zoom":1e999}']) expect(readSight(text)).toBeNull()
    expect(readSight(JSON.stringify({ ...good, window: [40, -5], pointer: 'here' }))).toMatchObject({ window: { center: 40, width: 1 }, pointer: null })
  })

  it('names the curve of the picture under which the leader sees it', () => {
    const [normal, harder] = [curve('NORMAL'), curve('HARDER')]
    const [here, there] = [{ ...CT, voiTables: [normal, harder] }, { ...CT, voiTables: [curve('NORMAL'), curve('HARDER')] }]
    const see = { series, stage: DESKTOP, view: WHOLE, isInverted: false, pointer: null, marks: [] }
    const seen = (picture: Picture) => readSight(writeSight(sightOf({ ...see, picture, window: asWindow(harder) })))
    for (const picture of [here, there]) {
      const sight = seen(picture)
      expect(sight && windowOf(sight, picture)).toEqual(asWindow(picture.voiTables[1] as typeof harder))
    }
    const linear = looked(WHOLE)
    expect(windowOf(linear, here)).toEqual(WINDOW)
  })

  it('of any size gives a view that can be shown', () => {
    const sight = looked(WHOLE)
    for (const zoom of [1e-9, 1e9]) {
      const shown = viewOf({ ...sight, zoom, centre: { x: 0.5, y: 0.5 }, area: [0.5, 0.5, 0.5, 0.5] }, CT, PHONE)
      expect(shown.zoom).toBeGreaterThanOrEqual(0.25)
      expect(shown.zoom).toBeLessThanOrEqual(16)
    }
  })
})

describe('the way between two views', () => {
  const [from, to] = [{ zoom: 1, panX: 0, panY: 0 }, { zoom: 4, panX: 100, panY: -50 }]

  it('begins at the one and ends at the other', () => {
    expect(between(from, to, 0)).toEqual({ zoom: 1, panX: 0, panY: 0 })
    expect(between(from, to, 1)).toBe(to)
    expect(between(from, to, 7)).toBe(to)
  })

  it('is twice as large in the middle of four times', () => {
    expect(between(from, to, 0.5)).toEqual({ zoom: 2, panX: 50, panY: -25 })
  })
})
