import { Enums, init, metaData, RenderingEngine, type StackViewport, type Types, utilities } from '@cornerstonejs/core'
import type { Size } from '../state/geometry'
import { makeLut } from '../state/lut'
import type { Stored } from '../state/types'
import { SQUARES_FROM, type Renderer, type Scene } from './renderer'

/** Draws with the graphics chip: windowing and interpolation cost the processor nothing. A chunk of its own, some 0.5 MB. */
const VIEWPORT = 'stage'
const SERIES = { modality: 'OT' }

interface Range {
  lower: number
  upper: number
}

/** What the chip draws: values with a range of greys, or greys and colours that are ready. */
interface Prepared {
  data: Stored
  range: Range
  isInverted: boolean
  components: 1 | 3
}

/** The window in stored values (PS3.3 C.11.2.1.2.1), where it is a straight line. */
function straight({ picture, window, isInverted }: Scene, data: Stored): Prepared {
  const width = Math.max(1, window.width)
  const [center, span] = picture.voi === 'LINEAR_EXACT' ? [window.center, width] : [window.center - 0.5, Math.max(width - 1, 1e-3)]
  const [one, other] = [center - span / 2, center + span / 2].map((value) => (value - picture.intercept) / picture.slope) as [number, number]
  const isTurned = (picture.photometric === 'MONOCHROME1') !== isInverted
  return { data, range: { lower: Math.min(one, other), upper: Math.max(one, other) }, isInverted: isTurned !== picture.slope < 0, components: 1 }
}

/** Curves of the header's own and bent windows, as greys that are ready. */
function bent(scene: Scene, data: Stored): Prepared {
  const { table, first } = makeLut(scene.picture, data, scene.window, scene.isInverted)
  const greys = Uint8Array.from(data, (value) => (table[value - first] ?? 0) & 0xff)
  return { data: greys, range: { lower: 0, upper: 255 }, isInverted: false, components: 1 }
}

function withoutAlpha(rgba: Uint8ClampedArray, isInverted: boolean): Uint8Array {
  const data = new Uint8Array((rgba.length / 4) * 3)
  for (let at = 0; at < data.length; at += 1) {
    const value = rgba[Math.floor(at / 3) * 4 + (at % 3)] ?? 0
    data[at] = isInverted ? 255 - value : value
  }
  return data
}

function prepared(scene: Scene): Prepared {
  const { pixels, picture, window } = scene
  if (pixels.kind === 'gray') return window.table || picture.modalityTable || picture.voi === 'SIGMOID' ? bent(scene, pixels.data) : straight(scene, pixels.data)
  const data = withoutAlpha(pixels.data, scene.isInverted)
  return { data, range: { lower: 0, upper: 255 }, isInverted: false, components: 3 }
}

function modules(imageId: string, { picture }: Scene, { components, data }: Prepared): Record<string, unknown> {
  const bits = data.BYTES_PER_ELEMENT * 8
  return {
    [Enums.MetadataModules.IMAGE_PIXEL]: {
      bitsAllocated: bits, bitsStored: bits, highBit: bits - 1, samplesPerPixel: components,
      pixelRepresentation: data instanceof Int16Array ? 1 : 0, photometricInterpretation: components === 1 ? 'MONOCHROME2' : 'RGB',
    },
    // A column is one wide; whatever the patient is, the picture lies flat before the viewer.
    [Enums.MetadataModules.IMAGE_PLANE]: {
      frameOfReferenceUID: imageId, rows: picture.rows, columns: picture.columns, rowCosines: [1, 0, 0], columnCosines: [0, 1, 0],
      imageOrientationPatient: [1, 0, 0, 0, 1, 0], imagePositionPatient: [0, 0, 0],
      rowPixelSpacing: picture.aspect, columnPixelSpacing: 1, pixelSpacing: [picture.aspect, 1],
    },
    [Enums.MetadataModules.GENERAL_SERIES]: SERIES,
  }
}

function imageOf(imageId: string, { picture }: Scene, { data, components }: Prepared): Types.IImage {
  const { rows, columns, aspect } = picture
  const voxelManager = utilities.VoxelManager.createImageVoxelManager({ width: columns, height: rows, scalarData: data as Types.PixelDataTypedArray, numberOfComponents: components })
  return {
    imageId, rows, columns, height: rows, width: columns, color: components > 1, rgba: false, numberOfComponents: components,
    columnPixelSpacing: 1, rowPixelSpacing: aspect, slope: 1, intercept: 0, windowCenter: 128, windowWidth: 256, invert: false,
    voiLUTFunction: Enums.VOILUTFunctionType.LINEAR, minPixelValue: 0, maxPixelValue: 1, sizeInBytes: data.byteLength,
    dataType: data.constructor.name as Types.PixelDataTypedArrayString, getPixelData: () => data as Types.PixelDataTypedArray,
    getCanvas: () => document.createElement('canvas'), voxelManager: voxelManager as NonNullable<Types.IImage['voxelManager']>,
  }
}

export class CornerstoneRenderer implements Renderer {
  private readonly engine: RenderingEngine
  private readonly viewport: StackViewport
  private stage: Size = { width: 1, height: 1 }
  private ratio = 1
  private known: Record<string, unknown> = {}
  private drawn: { aspect: number; data: unknown } = { aspect: 1, data: null }
  private last: { scene: Scene; ready: Prepared } | null = null
  private count = 0

  /** Raises where the chip cannot be used. */
  constructor(private readonly holder: HTMLDivElement) {
    init()
    metaData.addProvider(this.provide)
    this.engine = new RenderingEngine('viewer')
    this.engine.enableElement({ viewportId: VIEWPORT, type: Enums.ViewportType.STACK, element: holder, defaultOptions: { background: [0, 0, 0] } })
    this.viewport = this.engine.getViewport(VIEWPORT) as StackViewport
    this.viewport.canvas.dataset.testid = 'canvas'
  }

  resize(stage: Size, ratio: number): void {
    this.stage = stage
    this.ratio = ratio
    this.engine.resize(true, false)
  }

  draw(scene: Scene): void {
    this.holder.style.visibility = 'visible'
    const ready = this.show(scene)
    this.viewport.setProperties({
      voiRange: ready.range, invert: ready.isInverted,
      interpolationType: scene.placement.scaleX * this.ratio < SQUARES_FROM ? Enums.InterpolationType.LINEAR : Enums.InterpolationType.NEAREST,
    }, true)
    this.look(scene)
    this.viewport.render()
  }

  clear(): void {
    this.holder.style.visibility = 'hidden'
  }

  close(): void {
    metaData.removeProvider(this.provide)
    this.engine.destroy()
  }

  private readonly provide = (type: string) => this.known[type]

  /** Hands the picture over where it is another one, or has other greys. */
  private show(scene: Scene): Prepared {
    const ready = this.prepare(scene)
    if (ready.data === this.drawn.data && scene.picture.aspect === this.drawn.aspect) return ready
    this.count += 1
    const imageId = `picture:${this.count}`
    this.known = modules(imageId, scene, ready)
    this.viewport.renderImageObject(imageOf(imageId, scene, ready))
    this.drawn = { aspect: scene.picture.aspect, data: ready.data }
    return ready
  }

  /** What was made for the last drawing, where that was of the same picture in the same greys. */
  private prepare(scene: Scene): Prepared {
    const { last } = this
    const isSame = last !== null && (['picture', 'pixels', 'window', 'isInverted'] as const).every((name) => last.scene[name] === scene[name])
    const ready = isSame ? last.ready : prepared(scene)
    this.last = { scene, ready }
    return ready
  }

  /** Puts the picture where the placement says; the middle of its first pixel is the origin of the world. */
  private look({ placement, picture }: Scene): void {
    const { scaleX } = placement
    const whole = (value: number) => Math.round(value * this.ratio) / this.ratio
    const x = (this.stage.width / 2 - whole(placement.x)) / scaleX - 0.5
    const y = (this.stage.height / 2 - whole(placement.y)) / scaleX - 0.5 * picture.aspect
    const { position } = this.viewport.getCamera()
    this.viewport.setCamera({
      parallelScale: this.stage.height / 2 / scaleX, focalPoint: [x, y, 0], position: [x, y, position?.[2] ?? -1], viewUp: [0, -1, 0], viewPlaneNormal: [0, 0, -1],
    })
  }
}
