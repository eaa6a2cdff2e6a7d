import { clamped } from './geometry'
import { POINTS_MOST, thinned } from './strokes'
import type { PictureSource, Point, Pointer, Shape } from './types'

const BATCH_MS = 70
/** Points nearer than this share of the picture are one point. */
const NEAR = 0.003

export interface PenTarget {
  on: string
  source: PictureSource
}

/**
 * Turns a movement into pointer messages: small batches while it goes on, which may be lost, and at its end the whole
 * stroke with `done`. Of a line a batch holds what is new, beginning with the point before; of another shape all of it.
 */
export class Pen {
  private readonly say: (pointer: Pointer) => void
  private readonly shape: Shape
  private readonly target: PenTarget
  private readonly stroke = Math.random().toString(36).slice(2, 12)
  private points: Point[]
  private said = 0
  private saidAt: number

  constructor(shape: Shape, target: PenTarget, start: Point, say: (pointer: Pointer) => void, now = Date.now()) {
    this.shape = shape
    this.target = target
    this.points = [start]
    this.say = say
    this.saidAt = now
  }

  move(point: Point, now = Date.now()): void {
    const last = this.points.at(-1) as Point
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) < NEAR) return
    if (this.shape === 'freehand') this.points.push(point)
    else this.points = [this.points[0] as Point, point]
    if (now - this.saidAt < BATCH_MS) return
    this.saidAt = now
    const from = this.shape === 'freehand' ? Math.max(0, this.said - 1) : 0
    this.said = this.points.length
    this.say(this.message(this.points.slice(from).slice(-POINTS_MOST), false))
  }

  end(): void {
    if (this.points.length > 1) this.say(this.message(thinned(this.points), true))
  }

  private message(points: Point[], done: boolean): Pointer {
    return { kind: 'pointer', ...this.target, shape: this.shape, points, stroke: this.stroke, done }
  }
}

/** Shapes for who draws without a pointing device: one around, or with its tip at, `place`. */
export function shapeAt(shape: Shape, [x, y]: Point): Point[] {
  if (shape === 'circle') return [[clamped(x - 0.08), clamped(y - 0.1)], [clamped(x + 0.08), clamped(y + 0.1)]]
  return [[clamped(x + 0.15), clamped(y + 0.15)], [x, y]]
}
