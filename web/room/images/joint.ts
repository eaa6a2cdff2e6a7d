import { computed, type Ref, shallowRef, watch } from 'vue'
import { toScreen } from '../../viewer/state/geometry'
import { readSight, sightOf, viewOf, windowOf, writeSight } from '../../viewer/state/together'
import type { Point, Series } from '../../viewer/state/types'
import type { Viewer } from '../../viewer/state/viewer'
import type { Looking } from '../state/looking'
import { createGlide } from './glide'

const isSame = (one: { sop: string; frame: number }, other: { sop: string; frame: number }) => one.sop === other.sop && one.frame === other.frame

/**
 * Ties a viewer to the room: what the leader's shows is told, and a follower's shows the same. `series` is what this person
 * may see; `refresh` asks for it anew where the leader sees more.
 */
export function createJoint(viewer: Viewer, series: Ref<Series[]>, looking: Looking, refresh: () => Promise<void>) {
  const { stack, look, marks } = viewer
  /** Where this person points, in pixels of the picture. */
  const pointing = shallowRef<Point | null>(null)
  const glide = createGlide(look.view)
  const askedFor = new Set<string>()

  const own = computed(() => {
    const [open, picture] = [stack.series.value, stack.pictures.value[stack.wanted.value]]
    if (!open || !picture || !stack.picture.value) return null
    return writeSight(sightOf({
      series: open, picture, stage: look.stage.value, view: look.view.value, window: look.window.value,
      isInverted: look.isInverted.value, pointer: pointing.value, marks: isSame(picture, stack.picture.value) ? marks.here.value : [],
    }))
  })
  watch([looking.isLeading, own], ([leads, text]) => {
    if (leads && text) looking.show(text)
  }, { immediate: true })

  const sight = computed(() => (looking.isFollowing.value ? readSight(looking.text.value) : null))
  const open = computed(() => series.value.find(({ uid }) => uid === sight.value?.series) ?? null)
  /** Index of the leader's picture here; -1 where it is not here. */
  const at = computed(() => {
    const { value: to } = sight
    if (!to || stack.series.value?.uid !== to.series) return -1
    return stack.pictures.value.findIndex((one) => isSame(one, to))
  })

  /** What the leader sees may have come a moment ago: asked for once. */
  function askAnew() {
    const { value: to } = sight
    if (!to || askedFor.has(to.sop)) return
    askedFor.add(to.sop)
    if (open.value) void stack.open(open.value)
    else void refresh()
  }

  function follow() {
    const { value: to } = sight
    if (!to) return
    if (!open.value) askAnew()
    else if (stack.series.value?.uid !== to.series) void stack.open(open.value)
    else if (at.value >= 0) showAsIn(to)
    else if (!stack.isOpening.value && !stack.trouble.value) askAnew()
  }

  function showAsIn(to: NonNullable<typeof sight.value>) {
    const picture = stack.pictures.value[at.value]
    if (!picture) return
    if (stack.wanted.value !== at.value) stack.go(at.value)
    const [now, next] = [look.window.value, windowOf(to, picture)]
    const stays = now.center === next.center && now.width === next.width && now.table?.entries === next.table?.entries
    if (!stays) look.chosen.value = next
    look.isInverted.value = to.isInverted
    glide.to(viewOf(to, picture, look.stage.value))
  }

  watch([sight, series, stack.pictures, stack.isOpening, look.stage], follow, { immediate: true })
  watch(looking.isFollowing, (follows) => {
    glide.stop()
    if (!follows) return
    viewer.cine.pause()
    viewer.tool.value = 'scroll'
  })

  /** What the leader has drawn is measured here anew, from the same pixels; one's own is back when one looks alone. */
  watch([sight, stack.picture], ([to, picture]) => {
    if (!looking.isFollowing.value) marks.led.value = null
    else if (to && picture && isSame(picture, to)) marks.led.value = to.marks.map((mark, number) => ({ ...mark, id: -1 - number }))
    else marks.led.value = []
  }, { immediate: true })

  /** Where the leader points on the picture that is shown here, in CSS pixels of the stage. */
  const pointed = computed(() => {
    const [to, placement, picture] = [sight.value, viewer.placement(), stack.picture.value]
    if (!to?.pointer || !placement || !picture || !isSame(picture, to)) return null
    return toScreen({ x: to.pointer.x * picture.columns, y: to.pointer.y * picture.rows }, placement)
  })

  return {
    pointing, pointed,
    /** What tells one place of the leader's pointer from the next. */
    pointer: computed(() => sight.value?.pointer ?? null),
    /** The leader sees a picture that has not come here. */
    isMissing: computed(() => sight.value !== null && (!open.value || (at.value < 0 && !stack.isOpening.value))),
  }
}

export type Joint = ReturnType<typeof createJoint>
