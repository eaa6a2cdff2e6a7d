import { describe, expect, it } from 'vitest'
import { pictureBox, toPixels, toShares } from './geometry'
import { Pen, shapeAt } from './pen'
import { createStrokes, thinned, visibility } from './strokes'
import type { Point, Pointer } from './types'

describe('pictureBox', () => {
  it('leaves bars beside a picture that is shown whole', () => {
    expect(pictureBox('contain', { width: 400, height: 400 }, { width: 1280, height: 720 })).toEqual({ x: 0, y: 87.5, width: 400, height: 225 })
    expect(pictureBox('contain', { width: 400, height: 100 }, { width: 100, height: 100 })).toEqual({ x: 150, y: 0, width: 100, height: 100 })
  })

  it('reaches beyond an element that it fills', () => {
    expect(pictureBox('cover', { width: 100, height: 100 }, { width: 200, height: 100 })).toEqual({ x: -50, y: 0, width: 200, height: 100 })
  })

  it('is nothing while either has no size', () => {
    expect(pictureBox('contain', { width: 0, height: 10 }, { width: 10, height: 10 })).toBeNull()
    expect(pictureBox('contain', { width: 10, height: 10 }, { width: 0, height: 0 })).toBeNull()
  })

  it('leads from pixels to shares and back, and onto the picture from beside it', () => {
    const box = { x: 0, y: 87.5, width: 400, height: 225 }
    expect(toShares(100, 200, box)).toEqual([0.25, 0.5])
    expect(toPixels([0.25, 0.5], box)).toEqual([100, 200])
    expect(toShares(-20, 399, box)).toEqual([0, 1])
  })
})

function line(count: number): Point[] {
  return Array.from({ length: count }, (_, index): Point => [index / count, 0.5])
}

const pointer = (more: Partial<Pointer> = {}): Pointer & { person: string } => ({
  kind: 'pointer', person: 'expert', on: 'patient', source: 'camera', shape: 'freehand', points: [[0, 0]], stroke: 's1', done: false, ...more,
})

describe('strokes', () => {
  it('grow by batches and are replaced by the whole', () => {
    const { take, onPicture } = createStrokes()
    take(pointer({ points: [[0, 0], [0.1, 0]] }), 1000)
    take(pointer({ points: [[0.1, 0], [0.2, 0]] }), 1100)
    expect(onPicture('patient', 'camera')[0]?.parts).toHaveLength(2)
    take(pointer({ points: [[0, 0], [0.1, 0], [0.2, 0]], done: true }), 1200)
    take(pointer({ points: [[0.2, 0], [0.3, 0]] }), 1300) // overtaken on its way
    expect(onPicture('patient', 'camera')[0]?.parts).toEqual([[[0, 0], [0.1, 0], [0.2, 0]]])
  })

  it('keep to their picture and their person', () => {
    const { take, onPicture, strokes } = createStrokes()
    take(pointer())
    take(pointer({ source: 'screen' }))
    expect(onPicture('patient', 'camera')).toHaveLength(0) // the same stroke moved on to the screen
    take({ ...pointer(), person: 'doctor' })
    expect(strokes.size).toBe(2)
  })

  it('fade after some seconds and are forgotten', () => {
    const { take, prune, strokes } = createStrokes()
    take(pointer(), 1000)
    const [stroke] = [...strokes.values()]
    expect(stroke && [visibility(stroke, 1000), visibility(stroke, 8750), visibility(stroke, 9500)]).toEqual([1, 0.5, 0])
    prune(9000)
    expect(strokes.size).toBe(1)
    prune(9500)
    expect(strokes.size).toBe(0)
  })

  it('are cleared from one picture only', () => {
    const { take, strokes } = createStrokes()
    take(pointer())
    take(pointer({ on: 'doctor', stroke: 's2' }))
    take(pointer({ shape: 'clear', points: [] }))
    expect([...strokes.values()].map(({ on }) => on)).toEqual(['doctor'])
  })
})

describe('Pen', () => {
  const target = { on: 'patient', source: 'camera' } as const
  const draw = (shape: 'freehand' | 'arrow', points: Point[], msBetween: number) => {
    const said: Pointer[] = []
    let now = 0
    const pen = new Pen(shape, target, points[0] as Point, (one) => said.push(one), now)
    for (const point of points.slice(1)) pen.move(point, (now += msBetween))
    pen.end()
    return said
  }

  it('says a line in batches that begin where the last one ended, and at the end the whole', () => {
    const points = line(10)
    const said = draw('freehand', points, 40)
    const batches = said.slice(0, -1)
    expect(said.at(-1)).toMatchObject({ points, done: true })
    expect(batches.length).toBeGreaterThan(2)
    batches.slice(1).forEach((batch, index) => expect(batch.points[0]).toEqual(batches[index]?.points.at(-1)))
    expect(new Set(said.map(({ stroke }) => stroke)).size).toBe(1)
  })

  it('stays below the 40 messages a second that a room takes', () => {
    expect(draw('freehand', line(300), 4).length).toBeLessThan(1.2 * 20)
  })

  it('says the whole of a long line with 200 points', () => {
    const whole = draw('freehand', line(300), 1).at(-1)
    expect(whole?.points).toHaveLength(200)
    expect(whole?.points.at(-1)).toEqual(line(300).at(-1))
  })

  it('says an arrow by its two ends', () => {
    expect(draw('arrow', line(5), 100).every(({ points }) => points.length === 2)).toBe(true)
  })

  it('says nothing of a press without a movement', () => {
    expect(draw('freehand', [[0.5, 0.5]], 0)).toEqual([])
  })
})

describe('thinned and shapeAt', () => {
  it('keeps the ends', () => {
    const points = Array.from({ length: 7 }, (_, index): Point => [index / 10, 0])
    expect(thinned(points, 3)).toEqual([points[0], points[3], points[6]])
    expect(thinned(points, 9)).toEqual(points)
  })

  it('stays within the picture', () => {
    for (const shape of ['arrow', 'circle', 'freehand'] as const) {
      expect(shapeAt(shape, [1, 0]).flat().every((share) => share >= 0 && share <= 1)).toBe(true)
    }
  })
})
