import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { ApiError } from '../../shared/http'
import type { Frame, KeyImage, KeyImageList, KeyImages } from './keyimages'
import type { Look } from './look'
import type { Stack } from './stack'

const UNAUTHORISED = 401
const NOT_FOUND = 404
const SHOWN_MS = 8000

const same = (one: Frame, other: { sop: string; frame: number }) => one.sop === other.sop && one.frame === other.frame

/**
 * The key images of the case. A mark is shown at once and taken back, with a sentence, where the server does not write it
 * down; what others have marked meanwhile comes with the next answer, and when the page is looked at again.
 */
export function createStars(stack: Stack, look: Look, store: KeyImages, onRefused: (error: unknown) => void) {
  const images = shallowRef<KeyImage[]>([])
  const mayMark = ref(false)
  const trouble = ref('')
  let written: KeyImage[] = []
  let waiting = 0
  let last: Promise<void> = Promise.resolve()
  let timer = 0
  let hasAsked = false

  function say(words: string) {
    clearTimeout(timer)
    trouble.value = words
    if (words) timer = window.setTimeout(() => (trouble.value = ''), SHOWN_MS)
  }

  function take(list: KeyImageList) {
    written = list.images
    mayMark.value = list.mayMark
  }

  async function after(before: Promise<void>, act: () => Promise<void>, sorry: string): Promise<void> {
    await before
    try {
      await act()
      say('')
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 0
      if (status === UNAUTHORISED) onRefused(error)
      else if (status === NOT_FOUND && !mayMark.value) say('') // whoever may not see the images is told so in their place
      else say(error instanceof ApiError ? `${sorry}：${error.message}` : `${sorry}，请再试一次`)
    }
    waiting -= 1
    if (!waiting) images.value = written
  }

  /** Does one thing after another, so that a mark that is taken back at once is written down first. */
  function inTurn(act: () => Promise<void>, sorry: string): Promise<void> {
    waiting += 1
    last = after(last, act, sorry)
    return last
  }

  const load = () => inTurn(async () => take(await store.list()), '关键图没有读到')

  async function write(frame: Frame, on: boolean) {
    const one = written.find((other) => same(other, frame))
    if (on) {
      const marked = await store.mark(frame)
      written = [...written.filter((other) => !same(other, frame)), marked]
    } else if (one) take(await store.unmark(one.id))
  }

  const current = computed(() => images.value.find((one) => stack.picture.value && same(one, stack.picture.value)) ?? null)
  /** Where in the stack in sight they are. */
  const places = computed(() => stack.pictures.value.map((_picture, at) => at).filter((at) => images.value.some((one) => same(one, stack.pictures.value[at]!))))

  function seen(): Frame | null {
    const { value: picture } = stack.picture
    if (!picture) return null
    const grey = stack.pixels.value?.kind === 'gray'
    const window = grey ? { ...look.window.value, function: picture.voi } : null
    return { sop: picture.sop, frame: picture.frame, window, inverted: grey && look.isInverted.value }
  }

  function toggle(): Promise<void> | undefined {
    const frame = seen()
    if (!frame || !mayMark.value) return undefined
    const on = !current.value
    const others = images.value.filter((one) => !same(one, frame))
    images.value = on ? [...others, { ...frame, id: '', marker: '' }] : others
    return inTurn(() => write(frame, on), on ? '关键图没有标上' : '关键图没有取消')
  }

  /** Goes to the next key image of this stack, and from the last to the first, and shows it as its marker saw it. */
  function next() {
    const at = places.value.find((place) => place > stack.wanted.value) ?? places.value[0]
    const picture = at === undefined ? undefined : stack.pictures.value[at]
    const one = picture && images.value.find((image) => same(image, picture))
    if (at === undefined || !one) return
    stack.go(at)
    if (one.window) look.chosen.value = { center: one.window.center, width: one.window.width }
    look.isInverted.value = one.inverted
  }

  function onVisible() {
    if (document.visibilityState === 'visible') void load()
  }
  document.addEventListener('visibilitychange', onVisible)
  onScopeDispose(() => {
    document.removeEventListener('visibilitychange', onVisible)
    clearTimeout(timer)
  })
  // The first picture goes before.
  watch(() => stack.shown.value >= 0 || stack.trouble.value !== '', (ready) => {
    if (ready && !hasAsked) void load()
    hasAsked ||= ready
  }, { immediate: true, flush: 'sync' })

  return { images, current, starred: computed(() => current.value !== null), mayMark, trouble, places, toggle, next }
}
