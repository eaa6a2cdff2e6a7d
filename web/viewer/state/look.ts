import { computed, ref, shallowRef, watch } from 'vue'
import { WHOLE, type Size, type View } from './geometry'
import { autoWindow } from './lut'
import { presetsFor } from './presets'
import type { Stack } from './stack'
import { asWindow, onPicture } from './tables'
import type { Picture, Window } from './types'

export const ORIGINAL = '原设'

/** The header's curve before its window, as PS3.3 C.11.2 leaves open and readers do. */
function headerWindow(picture: Picture | null): Window | null {
  const [table] = picture?.voiTables ?? []
  return table ? asWindow(table) : (picture?.windows[0] ?? null)
}

/** How the picture is shown: window, inverted, where on the stage. */
export function createLook(stack: Stack) {
  /** Null follows what each picture's header says. */
  const chosen = shallowRef<Window | null>(null)
  const isInverted = ref(false)
  const view = shallowRef<View>(WHOLE)
  const stage = shallowRef<Size>({ width: 1, height: 1 })
  const automatic = shallowRef<Window | null>(null)

  watch(stack.series, reset)
  watch(stack.pixels, (pixels) => {
    const { value: picture } = stack.picture
    if (pixels && picture && !automatic.value) automatic.value = autoWindow(pixels, picture)
  }, { flush: 'sync' })

  const window = computed<Window>(() => {
    const [picked, picture] = [chosen.value, stack.picture.value]
    if (picked) return picture ? onPicture(picked, picture) : picked
    return headerWindow(picture) ?? automatic.value ?? { center: 128, width: 256 }
  })

  const presets = computed(() => {
    const { value: picture } = stack.picture
    if (!picture || stack.pixels.value?.kind !== 'gray') return []
    return [...presetsFor(picture), ...(automatic.value ? [{ name: '自动', ...automatic.value }] : [])]
  })

  function reset() {
    chosen.value = null
    isInverted.value = false
    view.value = WHOLE
    if (!stack.pixels.value) automatic.value = null
  }

  return { window, chosen, presets, isInverted, view, stage, reset }
}

export type Look = ReturnType<typeof createLook>
