import { shallowReactive } from 'vue'
import type { PictureSource, Point, Pointer, Shape } from './types'

const SHOWN_MS = 7000
const FADING_MS = 1500
export const POINTS_MOST = 200

/** A drawing on a picture. Several parts where a line comes in batches; one once it is whole. */
export interface Stroke {
  id: string
  person: string
  on: string
  source: PictureSource
  shape: Shape
  parts: Point[][]
  done: boolean
  /** When it was last added to, epoch milliseconds: it fades some seconds later. */
  at: number
}

/** How much of a stroke is still seen, from 1 to 0. */
export function visibility(stroke: Stroke, now: number): number {
  return Math.min(1, Math.max(0, (stroke.at + SHOWN_MS + FADING_MS - now) / FADING_MS))
}

/** The strokes on everybody's pictures, from whomever. */
export function createStrokes() {
  const strokes = shallowReactive(new Map<string, Stroke>())

  function take(pointer: Pointer & { person: string }, now = Date.now()) {
    if (pointer.shape === 'clear') {
      clear(pointer.on, pointer.source)
      return
    }
    const key = `${pointer.person} ${pointer.stroke}`
    const before = strokes.get(key)
    if (before?.done && !pointer.done) return // a batch that was overtaken by the whole
    const { person, on, source, shape, points, done } = pointer
    const grows = shape === 'freehand' && !done
    const parts = grows ? [...(before?.parts ?? []), points] : [points]
    strokes.set(key, { id: pointer.stroke, person, on, source, shape, parts, done, at: now })
  }

  function clear(on: string, source: PictureSource) {
    for (const [key, stroke] of strokes) if (stroke.on === on && stroke.source === source) strokes.delete(key)
  }

  /** Forgets what has faded; to be called now and then. */
  function prune(now = Date.now()) {
    for (const [key, stroke] of strokes) if (visibility(stroke, now) === 0) strokes.delete(key)
  }

  const onPicture = (on: string, source: PictureSource) =>
    [...strokes.values()].filter((stroke) => stroke.on === on && stroke.source === source)

  return { strokes, take, clear, prune, onPicture }
}

export type Strokes = ReturnType<typeof createStrokes>

/** At most `most` of the points, evenly, with the first and the last. */
export function thinned(points: readonly Point[], most = POINTS_MOST): Point[] {
  if (points.length <= most) return [...points]
  const step = (points.length - 1) / (most - 1)
  return Array.from({ length: most }, (_, index) => points[Math.round(index * step)] as Point)
}
