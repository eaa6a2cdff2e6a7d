import { distance, toScreen } from '../state/geometry'
import type { MarkKind } from '../state/measure'
import type { Point } from '../state/types'
import type { Viewer } from '../state/viewer'

/** How near a finger has to come to the end of a mark, in CSS pixels; half of what a target is wide. */
const REACH = 24
const LEAST = 4

interface End {
  id: number
  index: number
  far: number
}

const within = (value: number, limit = 0) => Math.min(limit, Math.max(0, value))

/** Draws measurements and moves their ends. Points are CSS pixels of the stage. */
export function createPencil(viewer: Viewer) {
  const { marks } = viewer

  /** A mark stays on the picture. */
  function under(point: Point): Point {
    const { x, y } = viewer.under(point)
    const { value: picture } = viewer.stack.picture
    return { x: within(x, picture?.columns), y: within(y, picture?.rows) }
  }

  let held: { id: number; index: number; isNew: boolean } | null = null

  function endNear(point: Point): End | null {
    const placement = viewer.placement()
    if (!placement) return null
    const ends = marks.here.value.flatMap(({ id, points }) => points.map((one, index) => ({ id, index, far: distance(toScreen(one, placement), point) })))
    return ends.reduce<End | null>((best, one) => (one.far <= (best?.far ?? REACH) ? one : best), null)
  }

  function down(kind: MarkKind, point: Point) {
    const { value: unfinished } = marks.unfinished
    if (unfinished) {
      held = { id: unfinished.id, index: unfinished.points.length, isNew: false }
      marks.movePoint(held.id, held.index, under(point))
      return
    }
    const near = endNear(point)
    if (near) held = { ...near, isNew: false }
    else held = { id: marks.begin(kind, under(point)).id, index: 1, isNew: true }
    marks.selected.value = held.id
  }

  function move(point: Point) {
    if (held) marks.movePoint(held.id, held.index, under(point))
  }

  /** A new mark as small as a tap is none. */
  function up() {
    const mark = marks.here.value.find(({ id }) => id === held?.id)
    const placement = viewer.placement()
    const [one, other] = mark?.points ?? []
    if (held?.isNew && placement && one && other && distance(toScreen(one, placement), toScreen(other, placement)) < LEAST) marks.remove(held.id)
    held = null
  }

  function cancel() {
    if (held?.isNew) marks.remove(held.id)
    held = null
  }

  return { down, move, up, cancel }
}
