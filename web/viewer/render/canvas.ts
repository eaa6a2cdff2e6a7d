import type { Size } from '../state/geometry'
import { applyLut, makeLut, type Lut } from '../state/lut'
import type { Pixels, Table } from '../state/types'
import { SQUARES_FROM, type Renderer, type Scene } from './renderer'

function copyColours(data: Uint8ClampedArray, into: Uint8ClampedArray, isInverted: boolean): void {
  if (!isInverted) {
    into.set(data)
    return
  }
  for (let at = 0; at < data.length; at += 1) into[at] = (at & 3) === 3 ? 255 : 255 - (data[at] ?? 0)
}

/** Draws on a 2D canvas: a table from value to grey, then one scaled copy. Needs neither GPU nor WebAssembly. */
export class CanvasRenderer implements Renderer {
  private readonly context: CanvasRenderingContext2D
  private readonly sheet = document.createElement('canvas')
  private readonly sheetContext: CanvasRenderingContext2D
  private image: ImageData | null = null
  private lut: Lut | null = null
  private lutKey = ''
  private lutTables: (Table | null | undefined)[] = []
  private drawn: { pixels: Pixels | null; lut: Lut | null; isInverted: boolean } = { pixels: null, lut: null, isInverted: false }
  private ratio = 1

  constructor(private readonly canvas: HTMLCanvasElement) {
    const [context, sheetContext] = [canvas.getContext('2d', { alpha: false }), this.sheet.getContext('2d')]
    if (!context || !sheetContext) throw new Error('this browser has no canvas')
    this.context = context
    this.sheetContext = sheetContext
  }

  resize(stage: Size, ratio: number): void {
    this.ratio = ratio
    this.canvas.width = Math.max(1, Math.round(stage.width * ratio))
    this.canvas.height = Math.max(1, Math.round(stage.height * ratio))
  }

  clear(): void {
    this.context.setTransform(1, 0, 0, 1, 0, 0)
    this.context.fillStyle = '#000'
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height)
  }

  draw(scene: Scene): void {
    this.paintSheet(scene)
    const { placement, pixels } = scene
    const [scaleX, scaleY] = [placement.scaleX * this.ratio, placement.scaleY * this.ratio]
    this.clear()
    this.context.imageSmoothingEnabled = scaleX < SQUARES_FROM
    this.context.imageSmoothingQuality = scaleX < 1 ? 'high' : 'medium'
    // Whole device pixels: at 1:1 every value stays what it is.
    const [x, y] = [Math.round(placement.x * this.ratio), Math.round(placement.y * this.ratio)]
    this.context.drawImage(this.sheet, x, y, pixels.columns * scaleX, pixels.rows * scaleY)
  }

  close(): void {
    this.clear()
  }

  private paintSheet(scene: Scene): void {
    const { pixels } = scene
    const lut = this.lutFor(scene)
    const { drawn } = this
    if (drawn.pixels === pixels && drawn.lut === lut && drawn.isInverted === scene.isInverted) return
    if (!this.image || this.image.width !== pixels.columns || this.image.height !== pixels.rows) {
      this.sheet.width = pixels.columns
      this.sheet.height = pixels.rows
      this.image = this.sheetContext.createImageData(pixels.columns, pixels.rows)
    }
    if (pixels.kind === 'colour') copyColours(pixels.data, this.image.data, scene.isInverted)
    else if (lut) applyLut(pixels.data, lut, new Uint32Array(this.image.data.buffer))
    this.sheetContext.putImageData(this.image, 0, 0)
    this.drawn = { pixels, lut, isInverted: scene.isInverted }
  }

  /** The table of the last drawing, where nothing that it depends on has changed. */
  private lutFor({ picture, pixels, window, isInverted }: Scene): Lut | null {
    if (pixels.kind === 'colour') return null
    const key = [pixels.data.constructor.name, picture.slope, picture.intercept, picture.photometric, picture.voi, window.center, window.width, isInverted].join()
    const tables = [picture.modalityTable, window.table]
    const isSame = key === this.lutKey && tables.every((one, at) => one?.entries === this.lutTables[at]?.entries)
    if (!this.lut || !isSame) this.lut = makeLut(picture, pixels.data, window, isInverted)
    this.lutKey = key
    this.lutTables = tables
    return this.lut
  }
}
