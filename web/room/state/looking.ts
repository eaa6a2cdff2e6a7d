import { computed, onScopeDispose, ref, watch } from 'vue'
import { createPace } from './pace'
import type { Room } from './room'

const ASK_MS = 30_000
const LEAST_MS = 50
/** Well within the room's patience with a leader who says nothing. */
const MOST_MS = 2000

/** Looking at the images together: whether they are on this page, who leads, and whether this page follows. */
export function createLooking(room: Room, hasImages: () => Promise<boolean>) {
  const { state } = room
  /** Whether there are images that this person may see. */
  const available = ref(false)
  const isOpen = ref(false)
  /** The person closed what the leader shows. */
  const isDismissed = ref(false)
  const isOnOwn = ref(false)
  const leader = computed(() => state.look.leader)
  const isLed = computed(() => leader.value !== '' && leader.value !== state.you)
  const isLeading = computed(() => leader.value !== '' && leader.value === state.you)
  const isFollowing = computed(() => isLed.value && !isOnOwn.value)
  /** Whether this person pressed it to lead and has not pressed it to stop. */
  let wants = false
  /** Whether this page led, or had asked to, when its connection was lost: it goes on unless somebody else leads by now. */
  let resumes = false

  const pace = createPace((text) => room.say({ kind: 'look', state: text }), LEAST_MS, MOST_MS)

  let asking: ReturnType<typeof setInterval> | undefined
  async function ask() {
    available.value ||= await hasImages().catch(() => false)
    if (available.value) clearInterval(asking)
  }
  asking = setInterval(() => void ask(), ASK_MS)
  void ask()

  function open() {
    isOnOwn.value = false
    isDismissed.value = false
    isOpen.value = true
  }

  function lead() {
    open()
    wants = true
    room.say({ kind: 'lead', on: true })
  }

  function stop() {
    wants = false
    room.say({ kind: 'lead', on: false })
  }

  function close() {
    if (isLeading.value) stop()
    isOpen.value = false
    isDismissed.value = isLed.value
  }

  watch(room.entries, () => (resumes = wants), { flush: 'sync' })
  // Every word of the room on it, also one that changes nothing.
  watch(() => state.look, (now, before) => {
    if (now.leader !== before.leader) {
      void changed(now.leader, before.leader)
      return
    }
    if (resumes && now.leader === '') lead() // what was said while the connection was away has not been heard
    resumes = false
  }, { flush: 'sync' })

  async function changed(now: string, before: string) {
    if (now === '') isDismissed.value = false
    if (before === state.you) {
      lost(now)
      return
    }
    if (now && now !== state.you && !available.value) await ask()
    const sentence = available.value ? said(now, before) : unseen(now)
    if (sentence) room.tell(sentence)
  }

  /** This page led and does no longer. */
  function lost(now: string) {
    pace.stop()
    if (now) room.tell(`现在${room.nameOf(now)}来翻，您跟着看`)
    else if (wants && resumes) lead()
    else if (wants) room.tell('您的网络断过，大家不再跟着您看了')
    wants &&= now === '' && resumes
    resumes = false
    isOnOwn.value = false
  }

  function said(now: string, before: string): string {
    if (now === state.you) return ''
    if (now) return `${room.nameOf(now)}带您看影像`
    const isHere = state.people.some(({ person }) => person === before)
    return `${room.nameOf(before)}${isHere ? '不再带着看了' : '离开了'}，影像停在这里`
  }

  const unseen = (now: string) => (now && now !== state.you ? `${room.nameOf(now)}在看影像，您这里看不到，听着就好` : '')

  watch(() => available.value && isLed.value && !isDismissed.value, (shows) => {
    if (shows) isOpen.value = true
  })

  onScopeDispose(() => {
    clearInterval(asking)
    pace.stop()
  })

  return {
    available, isOpen, leader, isLed, isLeading, isFollowing, open, close, lead, stop,
    canLead: room.isHost,
    name: computed(() => room.nameOf(leader.value)),
    /** Where the leader looks, as their page wrote it. */
    text: computed(() => state.look.state),
    lookOnOwn: () => (isOnOwn.value = true),
    follow: () => (isOnOwn.value = false),
    /** Where this page looks, while it leads. */
    show: (text: string) => pace.put(text),
  }
}

export type Looking = ReturnType<typeof createLooking>
