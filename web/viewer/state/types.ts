/** What the page knows of studies, and what measures, window and pixels are made of. Lengths are millimetres. */
export interface Study {
  uid: string
  /** As the header writes it; empty where it names nobody. */
  patientName: string
  description: string
  /** YYYYMMDD of the header. */
  date: string
}

export interface Series {
  uid: string
  study: Study
  modality: string
  description: string
  number: number
  instances: number
}

/** A look-up table (PS3.3 C.11.1.1, C.11.2.1.1): what values from `first` on become; those beyond its ends, what its ends do. */
export interface Table {
  first: number
  /** Of its entries. */
  bits: number
  entries: Uint16Array
  /** As the header explains it. */
  name: string
}

/** A window (VOI) in modality values: HU in a CT. */
export interface Window {
  center: number
  width: number
  /** The header's own curve instead of the formula; centre and width say which values it tells apart. */
  table?: Table
}

export interface NamedWindow extends Window {
  name: string
}

export type VoiFunction = 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID'

/** Millimetres between the centres of neighbouring rows and columns. */
export interface Spacing {
  row: number
  column: number
}

/** A part of an ultrasound picture with a scale of its own; pixels, both ends inside. */
export interface Region {
  left: number
  top: number
  right: number
  bottom: number
  spacing: Spacing
}

/** In the patient: x to the left, y to the back, z to the head (PS3.3 C.7.6.2.1.1). */
export type Vector = [number, number, number]

/** Which way rows run (across) and columns (down). */
export interface Axes {
  across: Vector
  down: Vector
}

export type Plane = 'axial' | 'coronal' | 'sagittal'

/** How the bytes of a frame are to be read (PS3.3 C.7.6.3). */
export interface PixelFormat {
  rows: number
  columns: number
  samples: number
  allocated: number
  stored: number
  highBit: number
  signed: boolean
  photometric: string
  planar: boolean
}

/** One picture of a stack: an instance, or a frame of one. */
export interface Picture extends PixelFormat {
  sop: string
  /** From 1. */
  frame: number
  modality: string
  slope: number
  intercept: number
  /** Modality values by stored value, instead of slope and intercept; null where the header has no such table. */
  modalityTable: Table | null
  /** The header's own curves, before its windows. */
  voiTables: Table[]
  /** What a value is in: `HU`, or nothing that can be said. */
  unit: 'HU' | ''
  padding: number | null
  windows: NamedWindow[]
  voi: VoiFunction
  /** Stored as JPEG Baseline, which browsers decode. */
  isJpeg: boolean
  /** Null where the header gives no scale that holds in the patient. */
  spacing: Spacing | null
  regions: Region[]
  /** Height of a pixel by its width. */
  aspect: number
  thickness: number | null
  /** Null where the header does not say. */
  axes: Axes | null
  /** Of the first pixel, mm. */
  position: Vector | null
  /** The plane through the series that this is; null for a picture that was acquired. */
  plane: Plane | null
  /** Pictures a second that the header asks for; null where it does not. */
  rate: number | null
}

export type Stored = Uint8Array | Int16Array | Uint16Array

export interface GrayPixels {
  kind: 'gray'
  data: Stored
  rows: number
  columns: number
}

/** Decoded pixels: stored values row by row, or RGBA. */
export type Pixels =
  | GrayPixels
  | { kind: 'colour'; data: Uint8ClampedArray<ArrayBuffer>; rows: number; columns: number }

export interface Point {
  x: number
  y: number
}
