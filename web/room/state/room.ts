import { computed, onScopeDispose, reactive, ref, shallowRef, watch } from 'vue'
import type { ApiError } from '../../shared/http'
import * as client from './client'
import { Connections } from './connections'
import { Link } from './link'
import type { Local } from './local'
import { parseMessage } from './parse'
import { errorSentence, waitingSentence } from './sentences'
import { createStrokes } from './strokes'
import { keepAwake, onNetworkChange } from './watching'
import type { Guest, Network, PageMessage, Person, Picture, PictureSource, Pointer, ServerMessage, Source } from './types'

const NEWS_MS = 8000
const PRUNE_MS = 1000

export interface Line {
  id: number
  person: string
  name: string
  text: string
}

export interface RoomNeeds {
  consultation: string
  token: string
  local: Local
  /** The room closed this page for good: why. */
  closed: (code: string) => void
  /** No pass is given to this person. */
  refused: (error: ApiError) => void
  /** Whenever the person is let in, also after a break. */
  joined: () => void
}

/** The room as this page sees it, and the only code that changes that. */
export function createRoom(needs: RoomNeeds) {
  const { local } = needs
  const state = reactive({
    phase: 'joining' as 'joining' | 'waiting' | 'inside',
    you: '',
    people: [] as Person[],
    guests: [] as Guest[],
    places: {} as Record<string, string>,
    chat: [] as Line[],
    unread: 0,
    chatOpen: false,
    /** Who leads where everybody looks, empty while nobody does; what their page says of where that is. */
    look: { leader: '', state: '' },
    recording: { on: false, asked: false, by: '', agreed: [] as string[] },
    network: 3 as Network,
    audioOnly: false,
    enteredAt: null as number | null,
  })
  /** Why the room is not reached at the moment; empty while it is. */
  const broken = ref('')
  const news = ref('')
  /** How often this page has been let in: connections that were lost make it more than once. */
  const entries = ref(0)
  const picture = shallowRef<Picture | null>(null)
  const strokes = createStrokes()
  const names = new Map<string, string>()

  const link = new Link({
    fetchPass: () => client.fetchPass(needs.consultation, needs.token),
    message: receive,
    lost: (error) => (broken.value = waitingSentence(error)),
    refused: needs.refused,
    closed: needs.closed,
  })
  const connections = new Connections((message) => link.send(message), receiveData)

  let newsEnds: ReturnType<typeof setTimeout> | undefined
  /** Says something that passes by. */
  function tell(sentence: string) {
    news.value = sentence
    clearTimeout(newsEnds)
    newsEnds = setTimeout(() => (news.value = ''), NEWS_MS)
  }

  const handlers: { [K in ServerMessage['kind']]?: (message: Extract<ServerMessage, { kind: K }>) => void } = {
    waiting: () => {
      state.phase = 'waiting'
      needs.joined()
    },
    joined: ({ you }) => {
      state.phase = 'inside'
      state.you = you
      state.enteredAt ??= Date.now()
      entries.value += 1
      needs.joined()
      sayMute()
      link.send({ kind: 'share', on: local.tracks.screen !== null })
      connections.askForBoth()
    },
    people: ({ people, waiting }) => {
      tellChanges(people)
      state.people = people
      state.guests = waiting
    },
    offer: (offer) => void connections.take(offer),
    places: ({ places }) => (state.places = places),
    quality: (quality) => {
      state.network = quality.network
      state.audioOnly = quality.audioOnly
      picture.value = quality.picture
      void connections.adapt(quality.picture)
    },
    reconnect: () => connections.askForBoth(),
    chat: ({ person, text }) => {
      state.chat.push({ id: state.chat.length + 1, person, name: nameOf(person), text })
      if (!state.chatOpen && person !== state.you) state.unread += 1
    },
    pointer: (pointer) => strokes.take(pointer),
    look: ({ leader, state: where }) => (state.look = { leader, state: where }),
    recording: takeRecording,
    error: ({ code }) => {
      const sentence = errorSentence(code)
      if (sentence) tell(sentence)
    },
  }

  function receive(message: ServerMessage) {
    broken.value = ''
    ;(handlers[message.kind] as ((message: ServerMessage) => void) | undefined)?.(message)
  }

  function receiveData(data: unknown) {
    const message = parseMessage(data)
    if (message?.kind === 'pointer') strokes.take(message)
  }

  function nameOf(person: string): string {
    return names.get(person) ?? '有人'
  }

  function tellChanges(people: Person[]) {
    const [before, now] = [state.people, people].map((list) => new Set(list.map(({ person }) => person)))
    for (const { person, name } of people) names.set(person, name)
    if (before?.size === 0) return // this page has just come in itself
    for (const { person, name, label } of people) if (!before?.has(person)) tell(`${name}（${label}）进来了`)
    for (const { person, name, label } of state.people) if (!now?.has(person)) tell(`${name}（${label}）离开了`)
  }

  function takeRecording(message: { on: boolean; asked: boolean; by: string; agreed: string[] }) {
    const before = state.recording
    if (message.on && !before.on) tell('开始录像了')
    else if (!message.on && before.on) tell('录像已经停止')
    else if (!message.on && before.agreed.length > 0 && message.agreed.length === 0) tell('有人不同意，这次不录像')
    state.recording = { on: message.on, asked: message.asked, by: message.by, agreed: message.agreed }
  }

  const audible = computed(() => local.state.audioOn && local.tracks.audio !== null)
  const visible = computed(() => local.state.cameraOn && local.tracks.camera !== null)
  function sayMute() {
    link.send({ kind: 'mute', audio: audible.value, camera: visible.value })
  }

  watch([audible, visible], sayMute)
  watch(() => local.tracks.audio, (track) => void connections.send('audio', track), { immediate: true })
  // Nothing is sent of a camera that is switched off: black pictures would cost as much.
  watch(() => (local.state.cameraOn ? local.tracks.camera : null), (track) => void connections.send('camera', track), { immediate: true })
  watch(() => local.tracks.screen, (track) => {
    void connections.send('screen', track)
    link.send({ kind: 'share', on: track !== null })
  })
  watch(() => state.chatOpen, (open) => open && (state.unread = 0))

  const pruning = setInterval(() => strokes.prune(), PRUNE_MS)
  const offNetwork = onNetworkChange(() => link.probe())
  const letSleep = keepAwake()

  function leave() {
    link.stop()
    connections.close()
  }
  onScopeDispose(() => {
    clearTimeout(newsEnds)
    clearInterval(pruning)
    offNetwork()
    letSleep()
    leave()
  })

  /** What somebody else sends of this kind; null while nothing of it is known. */
  function streamOf(person: string, source: Source): MediaStream | null {
    const place = Object.keys(state.places).find((one) => state.places[one] === person)
    return (place && connections.remote[`${place}-${source}`]) || null
  }

  /** Sends a stroke of this page: what may be lost over the data channel, the whole of it over the WebSocket. */
  function point(pointer: Pointer) {
    strokes.take({ ...pointer, person: state.you })
    const mayBeLost = !pointer.done && pointer.shape !== 'clear'
    if (!mayBeLost || !connections.sendData(JSON.stringify(pointer))) link.send(pointer)
  }

  const me = computed(() => state.people.find(({ person }) => person === state.you) ?? null)

  return {
    state, broken, news, entries, picture, strokes, connections, me, tell, streamOf, nameOf, point, leave,
    isHost: computed(() => me.value?.role === 'host'),
    others: computed(() => state.people.filter(({ person }) => person !== state.you)),
    say: (message: PageMessage) => link.send(message),
    clear: (on: string, source: PictureSource) =>
      point({ kind: 'pointer', on, source, shape: 'clear', points: [], stroke: '', done: true }),
    keepSnapshot: (jpeg: Blob) => client.keepSnapshot(needs.consultation, needs.token, jpeg),
  }
}

export type Room = ReturnType<typeof createRoom>
