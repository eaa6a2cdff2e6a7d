import { computed, ref, shallowRef, watch } from 'vue'
import type { Local } from './local'
import type { Room } from './room'
import type { Person, PictureSource } from './types'

/** One picture of the room: somebody's camera or screen. */
export interface Shown {
  key: string
  person: Person
  source: PictureSource
  own: boolean
}

export function keyOf(person: string, source: PictureSource): string {
  return `${person}/${source}`
}

/** Which pictures there are, and which of them is the large one. */
export function createStage(room: Room, local: Local) {
  const videos = new Map<string, HTMLVideoElement>()
  const chosen = shallowRef<string | null>(null)
  /** While this person draws, the picture under their pen stays. */
  const steady = ref(false)

  const shown = computed<Shown[]>(() => {
    const of = (person: Person, source: PictureSource): Shown => {
      return { key: keyOf(person.person, source), person, source, own: person.person === room.state.you }
    }
    return [...room.others.value, ...(room.me.value ? [room.me.value] : [])].flatMap((person) =>
      person.screen ? [of(person, 'screen'), of(person, 'camera')] : [of(person, 'camera')],
    )
  })

  /** The picture that somebody else is drawing on: everybody should see it large. */
  const pointed = computed(() => {
    const strokes = [...room.strokes.strokes.values()].filter(({ person }) => person !== room.state.you)
    const last = strokes.at(-1)
    return last ? keyOf(last.on, last.source) : null
  })

  /** Who is looked at unless something else is chosen: the patient by the doctors, a doctor by the patient. */
  const first = computed(() => {
    const wanted = room.isHost.value ? 'guest' : 'host'
    const others = shown.value.filter(({ own, source }) => !own && source === 'camera')
    return (others.find(({ person }) => person.role === wanted) ?? others[0] ?? shown.value[0])?.key ?? null
  })

  const large = computed(() => {
    const wanted = [steady.value ? null : pointed.value, chosen.value].find((key) => key && shown.value.some((one) => one.key === key))
    return wanted ?? first.value
  })

  const screens = computed(() => shown.value.filter(({ source, own }) => source === 'screen' && !own).map(({ key }) => key))
  watch(screens, (now, before) => {
    const fresh = now.find((key) => !before.includes(key))
    if (fresh) chosen.value = fresh
  })

  function streamOf({ person, source, own }: Shown): MediaStream | null {
    return own ? local.streams[source].value : room.streamOf(person.person, source)
  }

  return { videos, shown, large, steady, choose: (key: string) => (chosen.value = key), streamOf }
}

export type Stage = ReturnType<typeof createStage>
