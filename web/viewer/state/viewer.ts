import { ref } from 'vue'
import { createCine } from './cine'
import type { ImagingClient } from './client'
import { place, toPicture, WHOLE, fitScale } from './geometry'
import type { KeyImages } from './keyimages'
import { createLook } from './look'
import { createMarks } from './marks'
import type { MarkKind } from './measure'
import { createStack } from './stack'
import { createStars } from './stars'
import type { Point } from './types'

/** What a drag on the picture does. */
export type Tool = 'scroll' | 'window' | 'zoom' | 'pan' | MarkKind

export const isMeasuring = (tool: Tool): tool is MarkKind => ['length', 'angle', 'rectangle', 'ellipse'].includes(tool)

/** All that is open in the page: one stack, how it is shown, what is drawn on it. */
export function createViewer(client: ImagingClient, keyImages: KeyImages, onRefused: (error: unknown) => void) {
  const stack = createStack(client, onRefused)
  const look = createLook(stack)
  const tool = ref<Tool>('scroll')

  const placement = () => {
    const { value: picture } = stack.picture
    return picture && place(picture, look.stage.value, look.view.value)
  }

  return {
    client, stack, look, tool, placement,
    cine: createCine(stack),
    marks: createMarks(stack),
    stars: createStars(stack, look, keyImages, onRefused),
    /** The point of the picture under a point of the stage. */
    under(point: Point): Point {
      const where = placement()
      return where ? toPicture(point, where) : point
    },
    /** One pixel of the picture on one CSS pixel of the screen. */
    actualSize() {
      const { value: picture } = stack.picture
      if (picture) look.view.value = { ...WHOLE, zoom: 1 / fitScale(picture, look.stage.value) }
    },
  }
}

export type Viewer = ReturnType<typeof createViewer>
