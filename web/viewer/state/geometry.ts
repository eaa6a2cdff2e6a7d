import type { Point } from './types'

/** Where a picture lies on its stage. Stage and pan are in CSS pixels, picture points in pixels, whole ones at corners. */
export interface Size {
  width: number
  height: number
}

export interface View {
  /** 1 shows the whole picture as large as it goes. */
  zoom: number
  panX: number
  panY: number
}

/** Screen = picture × scale + offset. */
export interface Placement {
  x: number
  y: number
  scaleX: number
  scaleY: number
}

export interface Shape {
  rows: number
  columns: number
  aspect: number
}

export const WHOLE: View = { zoom: 1, panX: 0, panY: 0 }
export const MIN_ZOOM = 0.25
export const MAX_ZOOM = 16

/** CSS pixels a column takes where the whole picture is shown. */
export function fitScale(shape: Shape, stage: Size): number {
  return Math.min(stage.width / shape.columns, stage.height / (shape.rows * shape.aspect)) || 1
}

export function place(shape: Shape, stage: Size, view: View): Placement {
  const scaleX = fitScale(shape, stage) * view.zoom
  const scaleY = scaleX * shape.aspect
  return {
    x: (stage.width - shape.columns * scaleX) / 2 + view.panX,
    y: (stage.height - shape.rows * scaleY) / 2 + view.panY,
    scaleX,
    scaleY,
  }
}

export function toScreen(point: Point, placement: Placement): Point {
  return { x: point.x * placement.scaleX + placement.x, y: point.y * placement.scaleY + placement.y }
}

export function toPicture(point: Point, placement: Placement): Point {
  return { x: (point.x - placement.x) / placement.scaleX, y: (point.y - placement.y) / placement.scaleY }
}

/** Zooms so that what lies under `fixed` (stage coordinates) stays there. */
export function zoomAt(view: View, factor: number, fixed: Point, stage: Size): View {
  const zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, view.zoom * factor))
  const real = zoom / view.zoom
  const [x, y] = [fixed.x - stage.width / 2, fixed.y - stage.height / 2]
  return { zoom, panX: x - (x - view.panX) * real, panY: y - (y - view.panY) * real }
}

const within = (value: number, limit: number) => Math.min(limit, Math.max(-limit, value))

/** Moves the picture, of which a part always stays in sight. */
export function pan(view: View, dx: number, dy: number, stage: Size): View {
  const reach = Math.max(1, view.zoom) / 2
  return { ...view, panX: within(view.panX + dx, stage.width * reach), panY: within(view.panY + dy, stage.height * reach) }
}

export function distance(one: Point, other: Point): number {
  return Math.hypot(one.x - other.x, one.y - other.y)
}
