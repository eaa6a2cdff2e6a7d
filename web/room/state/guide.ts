import { computed, reactive, ref, shallowRef, watch } from 'vue'
import { ApiError } from '../../shared/http'
import { drawStrokes, INKS } from './draw'
import { Pen, shapeAt } from './pen'
import type { Room } from './room'
import { jpegOf, stillOf } from './snapshot'
import type { Stage } from './stage'
import { createStrokes } from './strokes'
import type { PictureSource, Point, Pointer, Shape } from './types'

/** A picture that was stopped to be drawn upon; nobody else sees it. */
export interface Frozen {
  on: string
  source: PictureSource
  still: HTMLCanvasElement
}

/** Showing others something on a picture: drawing on it, stopping it, keeping it. For hosts. */
export function createGuide(room: Room, stage: Stage) {
  const active = ref(false)
  const tool = ref<Shape>('circle')
  const frozen = shallowRef<Frozen | null>(null)
  const onStill = createStrokes()
  const keeping = reactive({ state: 'idle' as 'idle' | 'busy' | 'kept' | 'failed', sentence: '' })
  watch(active, (now) => (stage.steady.value = now))
  let pen: Pen | null = null
  /** What could not be kept: the very picture is tried again. */
  let waiting: Blob | null = null

  const before = (other: string) => room.state.people.filter(({ role, person }) => role === 'host' && person < other).length
  /** Each host draws in a colour of their own, the same on every page. */
  const inkOf = (person: string): string => INKS[before(person) % INKS.length] as string

  const target = computed(() => {
    if (frozen.value) return { on: frozen.value.on, source: frozen.value.source }
    const large = stage.shown.value.find(({ key }) => key === stage.large.value)
    return large ? { on: large.person.person, source: large.source } : null
  })

  function say(pointer: Pointer) {
    if (frozen.value) onStill.take({ ...pointer, person: room.state.you }, Number.MAX_SAFE_INTEGER)
    else room.point(pointer)
  }

  function begin(place: Point) {
    if (target.value) pen = new Pen(tool.value, target.value, place, say)
  }

  function end() {
    pen?.end()
    pen = null
  }

  /** A whole shape at once, for who draws with the keyboard. */
  function put(place: Point) {
    const [from, ...rest] = shapeAt(tool.value, place)
    if (!from || !target.value) return
    begin(from)
    for (const point of rest) pen?.move(point)
    end()
  }

  function clear() {
    if (!target.value) return
    const { on, source } = target.value
    if (frozen.value) onStill.clear(on, source)
    else room.clear(on, source)
  }

  /** Takes up the pen, on the picture that is large now. */
  function open() {
    if (stage.large.value) stage.choose(stage.large.value)
    active.value = true
  }

  function freeze() {
    const video = stage.large.value ? stage.videos.get(stage.large.value) : undefined
    const still = video ? stillOf(video) : null
    if (!still || !target.value) {
      room.tell('现在没有画面，不能定格')
      return
    }
    frozen.value = { ...target.value, still }
  }

  function goOn() {
    frozen.value = null
    onStill.strokes.clear()
  }

  function close() {
    goOn()
    active.value = false
  }

  /** The picture with what is drawn on it now. */
  function composed(): HTMLCanvasElement | null {
    const video = stage.large.value ? stage.videos.get(stage.large.value) : undefined
    const still = frozen.value?.still ?? (video ? stillOf(video) : null)
    if (!still || !target.value) return null
    const picture = document.createElement('canvas')
    picture.width = still.width
    picture.height = still.height
    const context = picture.getContext('2d')
    if (!context) return null
    context.drawImage(still, 0, 0)
    const { on, source } = target.value
    const strokes = (frozen.value ? onStill : room.strokes).onPicture(on, source)
    drawStrokes(context, strokes, { x: 0, y: 0, width: still.width, height: still.height }, inkOf, null)
    return picture
  }

  async function keep() {
    const picture = composed()
    waiting = picture && (await jpegOf(picture))
    if (waiting) await keepWaiting()
    else report('failed', '现在没有画面，没法保存')
  }

  async function keepWaiting() {
    if (!waiting) return
    report('busy', '正在保存图片…')
    try {
      await room.keepSnapshot(waiting)
      waiting = null
      report('kept', '图片已保存到这次会诊')
    } catch (error) {
      report('failed', `图片没有保存成功：${error instanceof ApiError ? error.message : '出了点问题'}`)
    }
  }

  function report(state: typeof keeping.state, sentence: string) {
    Object.assign(keeping, { state, sentence })
  }

  return {
    active, tool, frozen, onStill, keeping, target, inkOf, begin, end, put, clear, open, freeze, goOn, close, keep,
    move: (place: Point) => pen?.move(place),
    keepAgain: keepWaiting,
    canKeepAgain: () => waiting !== null,
    forgetKept: () => {
      waiting = null
      report('idle', '')
    },
  }
}

export type Guide = ReturnType<typeof createGuide>
