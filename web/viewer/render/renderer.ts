import type { Placement, Size } from '../state/geometry'
import type { Picture, Pixels, Window } from '../state/types'

/** All that one drawing depends on. */
export interface Scene {
  picture: Picture
  pixels: Pixels
  window: Window
  isInverted: boolean
  placement: Placement
}

/** From so many device pixels each on, pixels are shown as squares, so that nothing is invented between them. */
export const SQUARES_FROM = 4

/** Draws pictures: CanvasRenderer anywhere, CornerstoneRenderer where a graphics chip helps. */
export interface Renderer {
  /** Takes the stage's size in CSS pixels and how many device pixels one of them has. */
  resize(stage: Size, ratio: number): void
  draw(scene: Scene): void
  clear(): void
  /** Gives back what it holds. */
  close(): void
}
