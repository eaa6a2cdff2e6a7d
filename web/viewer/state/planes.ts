import type { Axes, Picture, Pixels, Plane, Stored, Vector } from './types'

/**
 * Planes through a series that is a block of slices: axial, coronal, sagittal. Values are taken over, never invented:
 * what lies between two slices is left to the drawing, as everything between two pixels is.
 */
const TOLERANCE = 0.02 // of the distance between slices, or of a direction
const LEAST_SLICES = 3

/** Which way the columns and the rows of a plane go, as it is always shown; x to the left, y to the back, z to the head. */
const SHOWN: Record<Plane, Axes> = {
  axial: { across: [1, 0, 0], down: [0, 1, 0] },
  coronal: { across: [1, 0, 0], down: [0, 0, -1] },
  sagittal: { across: [0, 1, 0], down: [0, 0, -1] },
}

const dot = (one: Vector, other: Vector) => one[0] * other[0] + one[1] * other[1] + one[2] * other[2]
const less = (one: Vector, other: Vector): Vector => [one[0] - other[0], one[1] - other[1], one[2] - other[2]]
const cross = (one: Vector, other: Vector): Vector => [
  one[1] * other[2] - one[2] * other[1], one[2] * other[0] - one[0] * other[2], one[0] * other[1] - one[1] * other[0],
]

/** One direction of a block: how many values, how far apart (mm), which way in the patient. */
interface Edge {
  count: number
  spacing: number
  direction: Vector
}

/** A block of values: along the columns, down the rows, from slice to slice. */
export interface Block {
  slices: Picture[]
  edges: [Edge, Edge, Edge]
  /** The plane in which it was acquired. */
  acquired: Plane
}

/** Two directions of a block make a plane; the third goes through it. */
interface Cut {
  across: number
  down: number
  through: number
  /** Whether the block's direction is the opposite of the shown one. */
  isMirrored: boolean
  isUpsideDown: boolean
}

function isAlike(one: Picture, other: Picture): boolean {
  const same: (keyof Picture)[] = ['rows', 'columns', 'samples', 'allocated', 'stored', 'signed', 'photometric', 'slope', 'intercept']
  const [own, others] = [one.axes, other.axes]
  if (!own || !others || one.modalityTable || other.modalityTable) return false
  return same.every((name) => one[name] === other[name]) && dot(own.across, others.across) > 1 - TOLERANCE && dot(own.down, others.down) > 1 - TOLERANCE
}

/** The distance from slice to slice, negative where they go against the normal; null where it changes or they shift. */
function stepOf(slices: Picture[], normal: Vector): number | null {
  const places = slices.map(({ position }) => position)
  const [first, last] = [places[0], places.at(-1)]
  if (!first || !last) return null
  const step = dot(less(last, first), normal) / (slices.length - 1)
  const isEven = places.every((place, at) => {
    if (!place) return false
    const expected: Vector = [first[0] + at * step * normal[0], first[1] + at * step * normal[1], first[2] + at * step * normal[2]]
    return Math.hypot(...less(place, expected)) <= Math.max(0.1, Math.abs(step) * TOLERANCE * 5)
  })
  return isEven && Math.abs(step) > 0.01 ? step : null
}

function planeOf(normal: Vector): Plane {
  const [x, y, z] = normal.map(Math.abs) as [number, number, number]
  return z >= x && z >= y ? 'axial' : y >= x ? 'coronal' : 'sagittal'
}

/** The block that the pictures make; null where they make none: colours, several groups of slices, a tilted gantry. */
export function blockOf(pictures: Picture[]): Block | null {
  const [first] = pictures
  if (!first?.axes || !first.spacing || first.samples !== 1 || pictures.length < LEAST_SLICES) return null
  if (!pictures.every((one) => isAlike(first, one))) return null
  const normal = cross(first.axes.across, first.axes.down)
  const step = stepOf(pictures, normal)
  if (step === null) return null
  const through: Vector = step > 0 ? normal : [-normal[0], -normal[1], -normal[2]]
  return {
    slices: pictures,
    acquired: planeOf(normal),
    edges: [
      { count: first.columns, spacing: first.spacing.column, direction: first.axes.across },
      { count: first.rows, spacing: first.spacing.row, direction: first.axes.down },
      { count: pictures.length, spacing: Math.abs(step), direction: through },
    ],
  }
}

function cutOf(block: Block, plane: Plane): Cut {
  const nearest = (wanted: Vector, taken: number[]) => {
    const fits = block.edges.map(({ direction }, at) => (taken.includes(at) ? -1 : Math.abs(dot(direction, wanted))))
    return fits.indexOf(Math.max(...fits))
  }
  const { across: wantedAcross, down: wantedDown } = SHOWN[plane]
  const across = nearest(wantedAcross, [])
  const down = nearest(wantedDown, [across])
  return {
    across, down, through: 3 - across - down,
    isMirrored: dot(edge(block, across).direction, wantedAcross) < 0,
    isUpsideDown: dot(edge(block, down).direction, wantedDown) < 0,
  }
}

function edge(block: Block, at: number): Edge {
  return block.edges[at] as Edge
}

const turned = (direction: Vector, isTurned: boolean): Vector => (isTurned ? [-direction[0], -direction[1], -direction[2]] : direction)

/** The pictures of a plane through the block, one for each place along the third direction. */
export function picturesOf(block: Block, plane: Plane): Picture[] {
  const cut = cutOf(block, plane)
  const [across, down, through] = [edge(block, cut.across), edge(block, cut.down), edge(block, cut.through)]
  const [first] = block.slices
  if (!first) return []
  const axes = { across: turned(across.direction, cut.isMirrored), down: turned(down.direction, cut.isUpsideDown) }
  return Array.from({ length: through.count }, (_one, at) => ({
    ...first,
    sop: `${first.sop}/${plane}`, frame: at + 1, plane, axes, position: null,
    rows: down.count, columns: across.count,
    spacing: { row: down.spacing, column: across.spacing }, aspect: down.spacing / across.spacing, thickness: through.spacing, rate: null,
  }))
}

/** The values of a plane at a place along the third direction; `slice` gives those of a slice. */
export function pixelsOf(block: Block, plane: Plane, at: number, slice: (number: number) => Stored): Pixels {
  const cut = cutOf(block, plane)
  const [columns, rows, width] = [edge(block, cut.across).count, edge(block, cut.down).count, edge(block, 0).count]
  const data = new (slice(0).constructor as new (length: number) => Stored)(rows * columns)
  const place: [number, number, number] = [0, 0, 0]
  place[cut.through] = at
  for (let row = 0; row < rows; row += 1) {
    place[cut.down] = cut.isUpsideDown ? rows - 1 - row : row
    for (let column = 0; column < columns; column += 1) {
      place[cut.across] = cut.isMirrored ? columns - 1 - column : column
      data[row * columns + column] = slice(place[2])[place[1] * width + place[0]] ?? 0
    }
  }
  return { kind: 'gray', data, rows, columns }
}

const SIDES: [string, string][] = [['右', '左'], ['前', '后'], ['足', '头']]

function sideOf(direction: Vector): string {
  const strongest = direction.map(Math.abs).indexOf(Math.max(...direction.map(Math.abs)))
  return SIDES[strongest]?.[(direction[strongest] ?? 0) > 0 ? 1 : 0] ?? ''
}

/** Which side of the patient each edge of a picture is on; null where the header does not say. */
export function sidesOf({ axes }: Picture): { left: string; right: string; top: string; bottom: string } | null {
  if (!axes) return null
  return {
    left: sideOf(turned(axes.across, true)), right: sideOf(axes.across),
    top: sideOf(turned(axes.down, true)), bottom: sideOf(axes.down),
  }
}
