import { computed, ref, watch } from 'vue'
import type { KeyImage, KeyImages } from './keyimages'
import type { Stack } from './stack'

/** The key images of the study in sight. */
export function createStars(stack: Stack, store: KeyImages) {
  const images = ref<KeyImage[]>([])
  const study = computed(() => stack.series.value?.study.uid ?? '')
  const isSame = (one: KeyImage, at: number) => {
    const picture = stack.pictures.value[at]
    return picture !== undefined && one.sop === picture.sop && one.frame === picture.frame
  }

  watch(study, async (uid) => {
    images.value = []
    const found = uid ? await store.list(uid) : []
    if (uid === study.value) images.value = found
  }, { immediate: true })

  const starred = computed(() => images.value.some((one) => isSame(one, stack.shown.value)))
  /** Where in the stack in sight they are. */
  const places = computed(() => stack.pictures.value.map((_picture, at) => at).filter((at) => images.value.some((one) => isSame(one, at))))

  async function toggle() {
    const { series, picture, shown } = stack
    if (!series.value || !picture.value) return
    const { sop, frame } = picture.value
    const others = images.value.filter((one) => !isSame(one, shown.value))
    images.value = starred.value ? others : [...others, { series: series.value.uid, sop, frame }]
    await store.put(study.value, images.value)
  }

  return { images, starred, places, toggle }
}
