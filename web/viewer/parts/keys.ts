import { pan, zoomAt } from '../state/geometry'
import { asChosen } from '../state/presets'
import type { Viewer } from '../state/viewer'
import { adjustWindow } from './gestures'

const PAN_STEP = 40
const ZOOM_STEP = 1.2
const PAGE = 10
const WINDOW_STEP = 20

type Action = (viewer: Viewer) => void

const zoom = (factor: number): Action => ({ look }) => {
  const { width, height } = look.stage.value
  look.view.value = zoomAt(look.view.value, factor, { x: width / 2, y: height / 2 }, look.stage.value)
}
const step = (by: number): Action => ({ stack, cine }) => {
  cine.pause()
  stack.step(by)
}
const shift = (dx: number, dy: number): Action => ({ look }) => {
  look.view.value = pan(look.view.value, dx, dy, look.stage.value)
}
const windowBy = (dx: number, dy: number): Action => (viewer) => adjustWindow(viewer, viewer.look.window.value, dx, dy)

const KEYS: Record<string, Action> = {
  ArrowUp: step(-1), ArrowLeft: step(-1), ArrowDown: step(1), ArrowRight: step(1), PageUp: step(-PAGE), PageDown: step(PAGE),
  Home: ({ stack }) => stack.go(0),
  End: ({ stack }) => stack.go(stack.pictures.value.length - 1),
  '+': zoom(ZOOM_STEP), '=': zoom(ZOOM_STEP), '-': zoom(1 / ZOOM_STEP),
  '[': windowBy(-WINDOW_STEP, 0), ']': windowBy(WINDOW_STEP, 0), ',': windowBy(0, -WINDOW_STEP), '.': windowBy(0, WINDOW_STEP),
  i: ({ look }) => (look.isInverted.value = !look.isInverted.value),
  k: ({ stars, stack }) => void (stack.plane.value ?? stars.toggle()),
  r: ({ look }) => look.reset(),
  ' ': ({ cine }) => cine.toggle(),
  Delete: ({ marks }) => marks.remove(marks.selected.value),
  Escape: ({ tool }) => (tool.value = 'scroll'),
}

const SHIFTED: Record<string, Action> = {
  ArrowUp: shift(0, -PAN_STEP), ArrowDown: shift(0, PAN_STEP), ArrowLeft: shift(-PAN_STEP, 0), ArrowRight: shift(PAN_STEP, 0),
}

/** What the keys do while the picture has the focus; 1 … 9 choose a window. */
export function onKey(event: KeyboardEvent, viewer: Viewer) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target !== event.currentTarget) return
  const preset = /^[1-9]$/.test(event.key) ? viewer.look.presets.value[Number(event.key) - 1] : undefined
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
  const action = (event.shiftKey && SHIFTED[key]) || KEYS[key]
  if (preset) viewer.look.chosen.value = asChosen(preset)
  else if (action) action(viewer)
  else return
  event.preventDefault()
}
