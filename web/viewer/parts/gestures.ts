import { distance, pan, zoomAt } from '../state/geometry'
import type { Point, Window } from '../state/types'
import { isMeasuring, type Tool, type Viewer } from '../state/viewer'
import { createPencil } from './pencil'

const SLICE_PIXELS = { least: 4, most: 22 }
const WHEEL_STEP = 60
const LINE_PIXELS = 20

/** What fingers, mouse and wheel do on the stage. All points are CSS pixels of the stage. */
export function createGestures(viewer: Viewer, stageElement: () => HTMLElement | null) {
  const { stack, look, tool, cine } = viewer
  const pencil = createPencil(viewer)
  const touching = new Map<number, Point>()
  let acting: Tool | null = null
  let start: { point: Point; at: number; window: Window } | null = null
  let wheel = 0

  function pointOf(event: MouseEvent): Point {
    const box = stageElement()?.getBoundingClientRect()
    return { x: event.clientX - (box?.left ?? 0), y: event.clientY - (box?.top ?? 0) }
  }

  /** The middle button moves, the right one windows, whatever is chosen: as at a workstation. */
  function toolOf(event: PointerEvent): Tool {
    if (event.pointerType === 'mouse' && event.button === 1) return 'pan'
    return event.pointerType === 'mouse' && event.button === 2 ? 'window' : tool.value
  }

  function down(event: PointerEvent) {
    const point = pointOf(event)
    touching.set(event.pointerId, point)
    try {
      stageElement()?.setPointerCapture(event.pointerId)
    } catch {
      // the pointer is gone already
    }
    if (touching.size > 1) {
      pencil.cancel()
      acting = null
      return
    }
    acting = toolOf(event)
    if (acting === 'scroll') cine.pause()
    start = { point, at: stack.wanted.value, window: look.window.value }
    if (isMeasuring(acting)) {
      cine.pause()
      pencil.down(acting, point)
    }
  }

  function pinch(id: number, to: Point) {
    const from = touching.get(id)
    const other = [...touching].find(([one]) => one !== id)?.[1]
    if (!from || !other) return
    const before = distance(from, other)
    const middle = { x: (to.x + other.x) / 2, y: (to.y + other.y) / 2 }
    const moved = pan(look.view.value, (to.x - from.x) / 2, (to.y - from.y) / 2, look.stage.value)
    look.view.value = before > 0 ? zoomAt(moved, distance(to, other) / before, middle, look.stage.value) : moved
  }

  function drag(from: Point, to: Point) {
    if (!start || !acting) return
    const [dx, dy] = [to.x - start.point.x, to.y - start.point.y]
    if (acting === 'scroll') {
      const each = Math.min(SLICE_PIXELS.most, Math.max(SLICE_PIXELS.least, look.stage.value.height / stack.pictures.value.length))
      const at = start.at + Math.trunc(dy / each)
      if (at !== stack.wanted.value) stack.go(at)
    } else if (acting === 'window') adjustWindow(viewer, start.window, dx, dy)
    else if (acting === 'pan') look.view.value = pan(look.view.value, to.x - from.x, to.y - from.y, look.stage.value)
    else if (acting === 'zoom') look.view.value = zoomAt(look.view.value, Math.exp((from.y - to.y) / 200), start.point, look.stage.value)
    else pencil.move(to)
  }

  function move(event: PointerEvent) {
    const from = touching.get(event.pointerId)
    if (!from) return
    const to = pointOf(event)
    if (touching.size > 1) pinch(event.pointerId, to)
    else drag(from, to)
    touching.set(event.pointerId, to)
  }

  function up(event: PointerEvent) {
    if (!touching.delete(event.pointerId)) return
    if (acting && isMeasuring(acting)) pencil.up()
    // The finger that stays after a pinch does nothing more.
    acting = null
    start = null
  }

  function onWheel(event: WheelEvent) {
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PIXELS : 1)
    if (event.ctrlKey) {
      look.view.value = zoomAt(look.view.value, Math.exp(-pixels / 300), pointOf(event), look.stage.value)
      return
    }
    cine.pause()
    // A notch of a wheel is one picture; a touch pad's many small steps add up to one.
    if (Math.abs(pixels) >= WHEEL_STEP) wheel = Math.sign(pixels)
    else wheel += pixels / WHEEL_STEP
    const whole = Math.trunc(wheel)
    wheel -= whole
    if (whole) stack.step(whole)
  }

  return { down, move, up, onWheel }
}

/** Across: width. Down: level. In proportion to the width, so that a brain window is as easy to set as a bone window. */
export function adjustWindow(viewer: Viewer, from: Window, dx: number, dy: number) {
  if (!viewer.look.presets.value.length) return
  viewer.look.chosen.value = {
    width: Math.max(1, Math.round(from.width * Math.exp(dx / 250))),
    center: Math.round(from.center + (dy * from.width) / 400),
  }
}
