import { modalityValue } from './lut'
import type { Picture, Pixels, Point, Spacing } from './types'

/** What is measured on a picture. Points are picture coordinates: (0, 0) is the upper left corner of the first pixel. */
export type MarkKind = 'length' | 'angle' | 'rectangle' | 'ellipse'

export interface Mark {
  id: number
  kind: MarkKind
  /** Ends of a line; leg, vertex, leg of an angle; opposite corners. */
  points: Point[]
}

export const POINTS: Record<MarkKind, number> = { length: 2, angle: 3, rectangle: 2, ellipse: 2 }

function holds(box: { left: number; top: number; right: number; bottom: number }, point: Point): boolean {
  return point.x >= box.left && point.x <= box.right + 1 && point.y >= box.top && point.y <= box.bottom + 1
}

/** The scale that holds at all of the points; null where there is none. */
export function scaleAt(picture: Picture, points: Point[]): Spacing | null {
  const region = picture.regions.find((one) => points.every((point) => holds(one, point)))
  return region?.spacing ?? picture.spacing
}

/** Millimetres; null where the picture has no scale. */
export function lengthOf(picture: Picture, [from, to]: Point[]): number | null {
  if (!from || !to) return null
  const scale = scaleAt(picture, [from, to])
  return scale && Math.hypot((to.x - from.x) * scale.column, (to.y - from.y) * scale.row)
}

/** Degrees between the legs, 0 … 180; null while a leg has no length. */
export function angleOf(picture: Picture, [one, vertex, other]: Point[]): number | null {
  if (!one || !vertex || !other) return null
  const leg = (end: Point) => [end.x - vertex.x, (end.y - vertex.y) * picture.aspect] as const
  const [[ax, ay], [bx, by]] = [leg(one), leg(other)]
  if (!Math.hypot(ax, ay) || !Math.hypot(bx, by)) return null
  return (Math.abs(Math.atan2(ax * by - ay * bx, ax * bx + ay * by)) * 180) / Math.PI
}

export interface RegionFigures {
  pixels: number
  mean: number
  /** Of the values as a whole, not an estimate from them. */
  deviation: number
  min: number
  max: number
}

/** Figures of the modality values whose pixel centres lie inside; null where there are none, or the picture has colours. */
export function figuresOf(picture: Picture, pixels: Pixels, mark: Mark): RegionFigures | null {
  const [one, other] = mark.points
  if (!one || !other || pixels.kind !== 'gray') return null
  const [left, right] = [Math.min(one.x, other.x), Math.max(one.x, other.x)]
  const [top, bottom] = [Math.min(one.y, other.y), Math.max(one.y, other.y)]
  const [middleX, middleY, halfX, halfY] = [(left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2]
  const isInside = (x: number, y: number) => mark.kind !== 'ellipse' || ((x - middleX) / halfX) ** 2 + ((y - middleY) / halfY) ** 2 <= 1
  const values: number[] = []
  for (let y = Math.max(0, Math.ceil(top - 0.5)); y + 0.5 <= bottom && y < pixels.rows; y += 1) {
    for (let x = Math.max(0, Math.ceil(left - 0.5)); x + 0.5 <= right && x < pixels.columns; x += 1) {
      if (isInside(x + 0.5, y + 0.5)) values.push(modalityValue(picture, pixels.data[y * pixels.columns + x] ?? 0))
    }
  }
  return figures(values)
}

function figures(values: number[]): RegionFigures | null {
  if (!values.length) return null
  let [sum, min, max] = [0, Infinity, -Infinity]
  for (const value of values) {
    sum += value
    min = Math.min(min, value)
    max = Math.max(max, value)
  }
  const mean = sum / values.length
  const spread = values.reduce((total, value) => total + (value - mean) ** 2, 0)
  return { pixels: values.length, mean, deviation: Math.sqrt(spread / values.length), min, max }
}

/** Square millimetres of a rectangle or an ellipse; null where the picture has no scale. */
export function areaOf(picture: Picture, mark: Mark): number | null {
  const [one, other] = mark.points
  const scale = scaleAt(picture, mark.points)
  if (!one || !other || !scale) return null
  const box = Math.abs((one.x - other.x) * scale.column * (one.y - other.y) * scale.row)
  return mark.kind === 'ellipse' ? (box * Math.PI) / 4 : box
}

export const NO_SCALE = '无法测量：图像没有尺寸'

function lines(mark: Mark, picture: Picture, pixels: Pixels): string[] {
  const area = areaOf(picture, mark)
  const found = figuresOf(picture, pixels, mark)
  const unit = picture.unit ? ` ${picture.unit}` : ''
  const size = area === null ? '面积无法测量' : `面积 ${area.toFixed(area < 100 ? 1 : 0)} mm²`
  if (!found) return [size]
  return [`平均 ${found.mean.toFixed(1)}${unit}`, `标准差 ${found.deviation.toFixed(1)}`, size]
}

/** What a person reads beside a mark, line by line. */
export function readings(mark: Mark, picture: Picture, pixels: Pixels): string[] {
  if (mark.kind === 'length') {
    const length = lengthOf(picture, mark.points)
    return [length === null ? NO_SCALE : `${length.toFixed(1)} mm`]
  }
  if (mark.kind === 'angle') {
    const angle = angleOf(picture, mark.points)
    return angle === null ? [] : [`${angle.toFixed(1)}°`]
  }
  return lines(mark, picture, pixels)
}
