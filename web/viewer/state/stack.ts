import { computed, ref, shallowRef } from 'vue'
import { ApiError } from '../../shared/http'
import type { ImagingClient } from './client'
import { StackLoader } from './loader'
import { sizeOf } from './pixels'
import { blockOf, picturesOf, pixelsOf } from './planes'
import type { GrayPixels, Picture, Pixels, Plane, Series } from './types'

const MEGABYTE = 2 ** 20

/** Bytes of decoded pictures that this device may hold: a quarter of a small phone's memory is already too much. */
function budget(): number {
  const gigabytes = (navigator as Navigator & { deviceMemory?: number }).deviceMemory ?? 4
  return (gigabytes <= 2 ? 96 : gigabytes <= 4 ? 192 : 320) * MEGABYTE
}

/** The first picture of a series, asked for before its place in the stack is known. */
interface Ahead {
  picture: Picture
  request: AbortController
  fetched: Promise<Pixels>
}

/** The pictures of the series in sight: which one is asked for, which one is shown, what has come. */
export function createStack(client: ImagingClient, onRefused: (error: unknown) => void) {
  const series = shallowRef<Series | null>(null)
  const pictures = shallowRef<Picture[]>([])
  const isOpening = ref(false)
  /** Index of the picture that is asked for; of the one that is shown, -1 while there is none. */
  const wanted = ref(0)
  const shown = ref(-1)
  const loaded = ref(0)
  /** The plane in sight that was not acquired; null for the pictures as they are. */
  const plane = ref<Plane | null>(null)
  const slices = shallowRef<Picture[]>([])
  const block = computed(() => blockOf(slices.value))
  const trouble = ref('')
  let loader: StackLoader<Pixels> | null = null
  let ahead: Ahead | null = null

  const picture = computed(() => pictures.value[shown.value] ?? null)
  const pixels = shallowRef<Pixels | null>(null)

  function pixelsAt(at: number): Pixels | undefined {
    const { value: whole } = block
    if (!plane.value || !whole) return loader?.get(at)
    const { value: cutting } = plane
    const held = slices.value.map((_one, number) => loader?.get(number)).filter((one) => one?.kind === 'gray')
    if (held.length < slices.value.length) return undefined
    return pixelsOf(whole, cutting, at, (number) => (held[number] as GrayPixels).data)
  }

  function show(at: number) {
    const found = pixelsAt(at)
    if (!found) return
    shown.value = at
    pixels.value = found
    trouble.value = ''
  }

  function failed(at: number, error: unknown) {
    if (error instanceof ApiError && error.status === 401) onRefused(error)
    else if (at === wanted.value) trouble.value = error instanceof ApiError ? error.message : '这一张没有完整传到，请再试一次。'
  }

  /** Fetches the first picture while the list of the others is still coming. */
  function fetchAhead(next: Series, first: Picture) {
    const request = new AbortController()
    const fetched = client.pixels(next, first, request.signal)
    fetched.catch(() => undefined) // whoever takes it hears of it
    ahead = { picture: first, request, fetched }
  }

  function fetchPixels(next: Series, wantedOne: Picture, signal: AbortSignal): Promise<Pixels> {
    const early = ahead
    if (!early || early.picture.sop !== wantedOne.sop || early.picture.frame !== wantedOne.frame) return client.pixels(next, wantedOne, signal)
    ahead = null
    signal.addEventListener('abort', () => early.request.abort(signal.reason), { once: true })
    return early.fetched
  }

  function clear(next: Series) {
    loader?.close()
    loader = null
    ahead?.request.abort()
    ahead = null
    series.value = next
    pictures.value = []
    slices.value = []
    plane.value = null
    pixels.value = null
    wanted.value = 0
    shown.value = -1
    loaded.value = 0
    trouble.value = ''
  }

  async function open(next: Series): Promise<void> {
    clear(next)
    isOpening.value = true
    try {
      const found = await client.pictures(next, (first) => series.value === next && fetchAhead(next, first))
      if (series.value !== next) return
      slices.value = found
      pictures.value = found
      loader = new StackLoader<Pixels>({
        count: found.length,
        budget: budget(),
        sizeAt: (at) => sizeOf(found[at] as Picture),
        fetch: (at, signal) => fetchPixels(next, found[at] as Picture, signal),
        onLoaded(at) {
          loaded.value = loader?.loaded ?? 0
          if (!plane.value && at === wanted.value) show(at)
        },
        onFailed: failed,
      })
      if (found.length) go(0)
      else trouble.value = '这一组里没有可以看的图像。'
    } catch (error) {
      if (series.value !== next) return
      if (error instanceof ApiError && error.status === 401) onRefused(error)
      else trouble.value = error instanceof ApiError ? error.message : '这一组没有打开，请再试一次。'
    } finally {
      if (series.value === next) isOpening.value = false
    }
  }

  function go(at: number) {
    if (!pictures.value.length) return
    wanted.value = Math.min(pictures.value.length - 1, Math.max(0, at))
    trouble.value = ''
    if (!plane.value) loader?.focus(wanted.value)
    show(wanted.value)
  }

  /** Planes can be cut once every slice is here. */
  const canCut = computed(() => block.value !== null && loaded.value === slices.value.length)

  /** Shows another plane through the series, from its middle; the acquired one as it was acquired. */
  function cut(next: Plane) {
    const { value: whole } = block
    if (!whole || !canCut.value) return
    plane.value = next === whole.acquired ? null : next
    pictures.value = plane.value ? picturesOf(whole, plane.value) : slices.value
    shown.value = -1
    pixels.value = null
    go(Math.floor(pictures.value.length / 2))
  }

  return {
    series, slices, pictures, plane, block, canCut, cut, isOpening, wanted, shown, loaded, trouble, picture, pixels, open, go,
    step: (by: number) => go(wanted.value + by),
    /** Asks again for what did not come. */
    retry: () => (pictures.value.length ? go(wanted.value) : series.value && open(series.value)),
    close() {
      loader?.close()
      ahead?.request.abort()
    },
  }
}

export type Stack = ReturnType<typeof createStack>
