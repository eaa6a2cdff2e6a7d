import { computed, ref, shallowRef } from 'vue'
import { readings, type Mark, type MarkKind, POINTS } from './measure'
import type { Stack } from './stack'
import type { Point } from './types'

const FINENESS = 100

/** Hundredths of a pixel: whoever is told of a mark measures the same. */
const fine = ({ x, y }: Point): Point => ({ x: Math.round(x * FINENESS) / FINENESS, y: Math.round(y * FINENESS) / FINENESS })

/** The measurements, each on the picture on which it was made. */
export function createMarks(stack: Stack) {
  const all = shallowRef<ReadonlyMap<string, Mark[]>>(new Map())
  const selected = ref<number | null>(null)
  let last = 0

  const key = computed(() => (stack.picture.value ? `${stack.picture.value.sop}:${stack.picture.value.frame}` : ''))
  const here = computed(() => all.value.get(key.value) ?? [])
  /** What somebody else has drawn on this picture, instead of one's own; null where nobody leads. */
  const led = shallowRef<Mark[] | null>(null)
  const read = computed(() => {
    const { picture, pixels } = stack
    return (led.value ?? here.value).map((mark) => ({ mark, lines: picture.value && pixels.value ? readings(mark, picture.value, pixels.value) : [] }))
  })

  function put(marks: Mark[]) {
    all.value = new Map(all.value).set(key.value, marks)
  }

  function begin(kind: MarkKind, at: Point): Mark {
    last += 1
    const mark = { id: last, kind, points: [fine(at), fine(at)] }
    put([...here.value, mark])
    selected.value = mark.id
    return mark
  }

  /** Puts the point with this number of a mark; one past the last is added. */
  function movePoint(id: number, index: number, to: Point) {
    put(here.value.map((mark) => (mark.id === id ? { ...mark, points: [...mark.points.slice(0, index), fine(to), ...mark.points.slice(index + 1)] } : mark)))
  }

  function remove(id: number | null) {
    put(here.value.filter((mark) => mark.id !== id))
    selected.value = here.value.at(-1)?.id ?? null
  }

  return {
    here, led, read, selected, begin, movePoint, remove,
    /** The mark that lacks a point: an angle with one leg. */
    unfinished: computed(() => here.value.find((mark) => mark.points.length < POINTS[mark.kind]) ?? null),
    clear: () => put([]),
  }
}

export type Marks = ReturnType<typeof createMarks>
