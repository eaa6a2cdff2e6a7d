import type { Point } from './types'

/** Where a picture lies within its element, in the element's pixels. */
export interface Box {
  x: number
  y: number
  width: number
  height: number
}

/** The box of a picture that is shown whole (`contain`) or fills its element (`cover`); null while it has no size. */
export function pictureBox(fit: 'contain' | 'cover', element: { width: number; height: number }, picture: { width: number; height: number }): Box | null {
  if (element.width <= 0 || element.height <= 0 || picture.width <= 0 || picture.height <= 0) return null
  const scales = [element.width / picture.width, element.height / picture.height] as const
  const scale = fit === 'contain' ? Math.min(...scales) : Math.max(...scales)
  const [width, height] = [picture.width * scale, picture.height * scale]
  return { x: (element.width - width) / 2, y: (element.height - height) / 2, width, height }
}

/** `value` as a share: the nearest from 0 to 1. */
export function clamped(value: number): number {
  return Math.min(1, Math.max(0, value))
}

function rounded(share: number): number {
  return Math.round(clamped(share) * 10_000) / 10_000
}

/** A place in the element as shares of the picture; the nearest on its edge for one beside it. */
export function toShares(x: number, y: number, box: Box): Point {
  return [rounded((x - box.x) / box.width), rounded((y - box.y) / box.height)]
}

export function toPixels([x, y]: Point, box: Box): [number, number] {
  return [box.x + x * box.width, box.y + y * box.height]
}
