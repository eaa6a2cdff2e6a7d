import { isRaw } from '../../shared/raw'
import { fitScale, MAX_ZOOM, MIN_ZOOM, place, toPicture, type Shape, type Size, type View } from './geometry'
import { type Mark, type MarkKind, POINTS } from './measure'
import { asWindow, onPicture } from './tables'
import type { Picture, Point, Series, Window } from './types'

/**
 * Where somebody looks, for those who look with them (video rooms, "Looking together" in docs/video-rooms.md). Places are
 * shares of the picture's width and height, so that stages of every size understand them; there are no pixels in it.
 */
export interface Sight {
  series: string
  sop: string
  /** From 1. */
  frame: number
  window: Window
  /** Which of the picture's own curves (VOI LUT Sequence) stands for the window; -1 where none does. */
  curve: number
  isInverted: boolean
  /** As in View. */
  zoom: number
  /** What lies in the middle of the stage, and what of the picture is on it: left, top, right, bottom. */
  centre: Point
  area: [number, number, number, number]
  /** Where the leader points; null where they do not. */
  pointer: Point | null
  /** What the leader has drawn on the picture, the newest of it; points in pixels of the picture. */
  marks: DrawnMark[]
}

export type DrawnMark = Pick<Mark, 'kind' | 'points'>

/** So many fit into what a room carries beside everything else. */
export const MOST_MARKS = 20

const PRECISION = 100_000
const UID = /^[0-9.]{1,64}$/

const rounded = (share: number) => Math.round(share * PRECISION) / PRECISION
const within = (share: number) => Math.min(1, Math.max(0, share))

export interface Looked {
  series: Series
  picture: Picture
  stage: Size
  view: View
  window: Window
  isInverted: boolean
  /** In pixels of the picture. */
  pointer: Point | null
  marks: DrawnMark[]
}

/** By name where the window still is of the picture before. */
function curveOf(picture: Picture, window: Window): number {
  const { table } = onPicture(window, picture)
  return table ? picture.voiTables.findIndex(({ entries }) => entries === table.entries) : -1
}

export function sightOf({ series, picture, stage, view, window, isInverted, pointer, marks }: Looked): Sight {
  const placement = place(picture, stage, view)
  const share = ({ x, y }: Point): Point => ({ x: rounded(x / picture.columns), y: rounded(y / picture.rows) })
  const at = (x: number, y: number) => share(toPicture({ x, y }, placement))
  const [first, last] = [at(0, 0), at(stage.width, stage.height)]
  return {
    series: series.uid, sop: picture.sop, frame: picture.frame, isInverted, zoom: rounded(view.zoom),
    window: { center: window.center, width: window.width }, curve: curveOf(picture, window),
    centre: at(stage.width / 2, stage.height / 2),
    area: [within(first.x), within(first.y), within(last.x), within(last.y)],
    pointer: pointer && share(pointer),
    marks: marks.slice(-MOST_MARKS).map(({ kind, points }) => ({ kind, points })),
  }
}

/**
 * How the sight lies on a stage of another shape: with the same middle, and as large as the leader sees it unless a part of
 * what the leader sees would then be beside the stage.
 */
export function viewOf({ zoom, centre, area: [left, top, right, bottom] }: Sight, shape: Shape, stage: Size): View {
  const fit = fitScale(shape, stage)
  const [width, height] = [shape.columns * fit, shape.rows * shape.aspect * fit] // of the whole picture, at zoom 1
  const reachX = Math.max(centre.x - left, right - centre.x) * width
  const reachY = Math.max(centre.y - top, bottom - centre.y) * height
  const most = Math.min(stage.width / 2 / Math.max(reachX, 1), stage.height / 2 / Math.max(reachY, 1))
  // Half a per cent: a share that was rounded is no reason to show a picture smaller than the leader's.
  const shown = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, most * 1.005 < zoom ? most : zoom))
  return { zoom: shown, panX: (0.5 - centre.x) * width * shown, panY: (0.5 - centre.y) * height * shown }
}

/** The window under which a follower shows the picture: the leader's, or the curve of the picture that stands for it. */
export function windowOf({ window, curve }: Sight, { voiTables }: Picture): Window {
  const table = voiTables[curve]
  return table ? asWindow(table) : window
}

/** A view on the way from one to another; `share` from 0 to 1. Zooming looks even where its logarithm is. */
export function between(from: View, to: View, share: number): View {
  if (share >= 1) return to
  const along = (one: number, other: number) => one + (other - one) * share
  return {
    zoom: Math.exp(along(Math.log(from.zoom), Math.log(to.zoom))),
    panX: along(from.panX, to.panX),
    panY: along(from.panY, to.panY),
  }
}

export function writeSight({ series, sop, frame, window, curve, isInverted, zoom, centre, area, pointer, marks }: Sight): string {
  return JSON.stringify({
    series, sop, frame, window: [window.center, window.width], curve, inverted: isInverted, zoom,
    centre: [centre.x, centre.y], area, pointer: pointer && [pointer.x, pointer.y],
    marks: marks.map(({ kind, points }) => [kind, ...points.flatMap(({ x, y }) => [x, y])]),
  })
}

function numbers(value: unknown, count: number): number[] | null {
  const is = Array.isArray(value) && value.length === count && value.every((one) => typeof one === 'number' && Number.isFinite(one))
  return is ? (value as number[]) : null
}

function pointIn(value: unknown): Point | null {
  const [x, y] = numbers(value, 2) ?? []
  return x === undefined || y === undefined ? null : { x, y }
}

function windowIn(value: unknown): Window | null {
  const [center, width] = numbers(value, 2) ?? []
  return center === undefined || width === undefined ? null : { center, width: Math.max(1, width) }
}

function markIn(value: unknown): DrawnMark[] {
  const [kind, ...places] = Array.isArray(value) ? (value as unknown[]) : []
  const known = (Object.keys(POINTS) as MarkKind[]).find((one) => one === kind)
  const found = known && places.length >= 4 && places.length <= 2 * POINTS[known] && numbers(places, places.length)
  if (!known || !found || found.length % 2) return []
  return [{ kind: known, points: Array.from({ length: found.length / 2 }, (_one, at) => ({ x: found[2 * at] ?? 0, y: found[2 * at + 1] ?? 0 })) }]
}

const marksIn = (value: unknown) => (Array.isArray(value) ? value.slice(-MOST_MARKS).flatMap(markIn) : [])

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** What another page wrote; null where it wrote none. Nothing is trusted: it came through the room. */
export function readSight(text: string): Sight | null {
  const raw = parsed(text)
  if (!isRaw(raw)) return null
  const [series, sop] = [raw.series, raw.sop].map((uid) => (typeof uid === 'string' && UID.test(uid) ? uid : null))
  const [frame, zoom, curve] = numbers([raw.frame, raw.zoom, raw.curve], 3) ?? []
  const [window, centre, area] = [windowIn(raw.window), pointIn(raw.centre), numbers(raw.area, 4)]
  if (!series || !sop || !frame || !zoom || zoom < 0 || curve === undefined || !window || !centre || !area) return null
  return { series, sop, frame, zoom, centre, window, curve, area: area as Sight['area'], isInverted: raw.inverted === true, pointer: pointIn(raw.pointer), marks: marksIn(raw.marks) }
}
