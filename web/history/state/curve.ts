import type { Point } from './types'

const WIDTH = 96
const HEIGHT = 28
const EDGE = 3

function place(value: number, all: number[], length: number): number {
  const low = Math.min(...all)
  const span = Math.max(...all) - low
  return EDGE + (span ? (value - low) / span : 0.5) * (length - 2 * EDGE)
}

/** The points of a small curve, as SVG takes them, in a box of 96 × 28; empty for fewer than three values. */
export function curve(points: Point[]): string {
  if (points.length < 3) return ''
  const times = points.map((point) => point.at)
  const values = points.map((point) => point.value)
  return points
    .map((point) => `${place(point.at, times, WIDTH).toFixed(1)},${(HEIGHT - place(point.value, values, HEIGHT)).toFixed(1)}`)
    .join(' ')
}
