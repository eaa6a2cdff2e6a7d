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

/** Draws pictures on a canvas. What draws otherwise (WebGL) stands beside CanvasRenderer behind this. */
export interface Renderer {
  /** Takes the stage's size in CSS pixels and how many device pixels one of them has. */
  resize(stage: Size, ratio: number): void
  draw(scene: Scene): void
  clear(): void
}
