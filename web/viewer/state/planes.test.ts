import { describe, expect, it } from 'vitest'
import { ctHeader } from './headers'
import { parsePictures } from './parse'
import { type Block, blockOf, picturesOf, pixelsOf, sidesOf } from './planes'
import type { Picture, Vector } from './types'

const list = (...values: number[]) => ({ Value: values })

/** Four slices of 2 rows and 3 columns; each value says where it is: slice, row, column. */
function slices(changes: (at: number) => object = () => ({}), orientation = [1, 0, 0, 0, 1, 0], step: Vector = [0, 0, 5]): Picture[] {
  return parsePictures(Array.from({ length: 4 }, (_one, at) => ctHeader({
    '00080018': { Value: [`1.2.${at}`] }, '00200013': list(at + 1), '00280010': list(2), '00280011': list(3), '00280030': list(2, 1),
    '00200037': list(...orientation), '00200032': list(...step.map((one) => one * at)), ...changes(at),
  })))
}
const value = (slice: number, row: number, column: number) => 100 * slice + 10 * row + column
const slice = (at: number) => Int16Array.from({ length: 6 }, (_one, place) => value(at, Math.floor(place / 3), place % 3))
const read = (block: Block, plane: 'axial' | 'coronal' | 'sagittal', at: number) => [...pixelsOf(block, plane, at, slice).data]

describe('planes through a block of slices', () => {
  const block = blockOf(slices()) as Block

  it('keep the values of the place they show, the head above', () => {
    expect(block.acquired).toBe('axial')
    expect(read(block, 'coronal', 1)).toEqual([310, 311, 312, 210, 211, 212, 110, 111, 112, 10, 11, 12])
    expect(read(block, 'sagittal', 2)).toEqual([302, 312, 202, 212, 102, 112, 2, 12])
    expect(read(block, 'axial', 3)).toEqual([...slice(3)])
  })

  it('are as long in the patient as they are', () => {
    const coronal = picturesOf(block, 'coronal')
    expect(coronal).toHaveLength(2)
    expect(coronal[0]).toMatchObject({ rows: 4, columns: 3, spacing: { row: 5, column: 1 }, aspect: 5, thickness: 2, frame: 1 })
    const sagittal = picturesOf(block, 'sagittal')
    expect(sagittal).toHaveLength(3)
    expect(sagittal[1]).toMatchObject({ rows: 4, columns: 2, spacing: { row: 5, column: 2 }, aspect: 2.5, thickness: 1, frame: 2 })
    expect(new Set([...coronal, ...sagittal].map(({ sop, frame }) => `${sop}:${frame}`)).size).toBe(5)
  })

  it('show the head above whichever way the slices come, and the patient\'s left on the right', () => {
    const down = blockOf(slices(undefined, undefined, [0, 0, -5])) as Block
    expect(read(down, 'coronal', 0)).toEqual([0, 1, 2, 100, 101, 102, 200, 201, 202, 300, 301, 302])
    const prone = blockOf(slices(undefined, [-1, 0, 0, 0, -1, 0])) as Block
    expect(read(prone, 'coronal', 0).slice(0, 3)).toEqual([302, 301, 300])
    expect(sidesOf(picturesOf(prone, 'coronal')[0] as Picture)).toEqual({ left: '右', right: '左', top: '头', bottom: '足' })
  })

  it('are made of a sagittal series as of an axial one', () => {
    const sagittal = blockOf(slices(undefined, [0, 1, 0, 0, 0, -1], [5, 0, 0])) as Block
    expect(sagittal.acquired).toBe('sagittal')
    expect(picturesOf(sagittal, 'axial')[0]).toMatchObject({ rows: 3, columns: 4, spacing: { row: 1, column: 5 } })
    expect(read(sagittal, 'axial', 1).slice(0, 4)).toEqual([10, 110, 210, 310])
  })

  it('are not made of what is no block', () => {
    const tilted = slices((at) => ({ '00200032': list(0, at, 5 * at) }))
    const uneven = slices((at) => ({ '00200032': list(0, 0, at === 3 ? 25 : 5 * at) }))
    const rescaled = slices((at) => ({ '00281052': list(-at) }))
    const nowhere = slices(() => ({ '00200032': list() }))
    for (const pictures of [tilted, uneven, rescaled, nowhere, slices().slice(0, 2), []]) expect(blockOf(pictures)).toBeNull()
  })
})

describe('sides of a picture', () => {
  it('are those of the patient', () => {
    expect(sidesOf(slices()[0] as Picture)).toEqual({ left: '右', right: '左', top: '前', bottom: '后' })
    expect(sidesOf(parsePictures([ctHeader()])[0] as Picture)).toBeNull()
  })
})
