import { type Box, toPixels } from './geometry'
import { type Stroke, visibility } from './strokes'
import type { Point } from './types'

/** One for each who may draw; all stand out on skin, on cloth and on a screen, with a dark edge around them. */
export const INKS = ['#ffd60a', '#29e0ff', '#ff7ac6'] as const

type Pixel = [number, number]

function trace(context: CanvasRenderingContext2D, pixels: Pixel[]): void {
  pixels.forEach(([x, y], index) => (index === 0 ? context.moveTo(x, y) : context.lineTo(x, y)))
}

function traceArrow(context: CanvasRenderingContext2D, [tail, tip]: Pixel[], width: number): void {
  if (!tail || !tip) return
  const angle = Math.atan2(tip[1] - tail[1], tip[0] - tail[0])
  const barb = (turn: number): Pixel => [tip[0] - 5 * width * Math.cos(angle + turn), tip[1] - 5 * width * Math.sin(angle + turn)]
  trace(context, [tail, tip])
  trace(context, [barb(0.5), tip, barb(-0.5)])
}

function traceCircle(context: CanvasRenderingContext2D, [one, other]: Pixel[]): void {
  if (!one || !other) return
  const [x, y] = [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2]
  context.moveTo(Math.max(one[0], other[0]), y)
  context.ellipse(x, y, Math.abs(one[0] - other[0]) / 2, Math.abs(one[1] - other[1]) / 2, 0, 0, 2 * Math.PI)
}

function traceStroke(context: CanvasRenderingContext2D, stroke: Stroke, box: Box, width: number): void {
  context.beginPath()
  for (const part of stroke.parts) {
    const pixels = part.map((point: Point) => toPixels(point, box))
    if (stroke.shape === 'arrow') traceArrow(context, pixels, width)
    else if (stroke.shape === 'circle') traceCircle(context, pixels)
    else trace(context, pixels)
  }
}

/** Draws strokes over the picture that lies in `box`; faded by `now`, whole where it is null. */
export function drawStrokes(context: CanvasRenderingContext2D, strokes: Stroke[], box: Box, inkOf: (person: string) => string, now: number | null): void {
  const width = Math.max(3, Math.max(box.width, box.height) * 0.008)
  context.lineCap = context.lineJoin = 'round'
  for (const stroke of strokes) {
    context.globalAlpha = now === null ? 1 : visibility(stroke, now)
    traceStroke(context, stroke, box, width)
    context.strokeStyle = 'rgb(0 0 0 / 65%)'
    context.lineWidth = width * 1.7
    context.stroke()
    context.strokeStyle = inkOf(stroke.person)
    context.lineWidth = width
    context.stroke()
  }
  context.globalAlpha = 1
}
