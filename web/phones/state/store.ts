import { computed, inject, type InjectionKey, onScopeDispose, reactive, ref, shallowReactive } from 'vue'
import { ApiError } from '../../shared/http'
import * as client from './client'
import { useSandboxClock } from './clock'
import { parseClock, parseMessage, parsePhones } from './parse'
import { useStream } from './stream'
import type { MenuButton, Message, PhoneInfo } from './types'

/** A text on its way: shown at once, gone when the sandbox shows it as a message, marked when it failed. */
export interface Pending {
  id: number
  text: string
  failed: boolean
}

export interface Phone extends PhoneInfo {
  messages: Message[]
  pending: Pending[]
  menu: MenuButton[]
  /** How many messages came for a phone that does not lie on the desk, since the page was opened. */
  news: number
  /** True while it lies on the desk: only then are its messages and menu fetched and kept up to date. */
  onDesk: boolean
  /** The last message of the history: what has a higher number came while the page looked on. Null until it is read. */
  historyEnd: number | null
  /** True while the account shows that it is typing. */
  typing: boolean
  /** True while a person has this chat before their eyes: new messages count as read. */
  watched: boolean
}

const KEPT_MESSAGES = 2000
const TYPING_SHOWN_MS = 15_000

function createPhone(info: PhoneInfo): Phone {
  const own = { messages: [], pending: [], menu: [], news: 0, onDesk: false, historyEnd: null, typing: false, watched: false }
  return shallowReactive({ ...info, ...own })
}

/** Everything the page knows, and the only code that changes it. */
export function createStore() {
  const phones = reactive<{ list: Phone[]; loaded: boolean }>({ list: [], loaded: false })
  const clock = useSandboxClock()
  const lastError = ref('')
  let nextPending = 1

  const find = (openid: string) => phones.list.find((phone) => phone.openid === openid)

  function takeMessages(phone: Phone, fresh: Message[]) {
    const known = new Set(phone.messages.map((message) => message.seq))
    const added = fresh.filter((message) => !known.has(message.seq))
    if (added.length === 0) return
    phone.messages = [...phone.messages, ...added].toSorted((a, b) => a.seq - b.seq).slice(-KEPT_MESSAGES)
    for (const message of added) {
      if (message.from === 'user' && message.kind === 'text') dropPending(phone, message.text)
    }
  }

  function dropPending(phone: Phone, text: string) {
    const index = phone.pending.findIndex((pending) => pending.text === text)
    if (index >= 0) phone.pending = phone.pending.toSpliced(index, 1)
  }

  async function catchUp(phone: Phone) {
    if (!phone.onDesk) return
    takeMessages(phone, await client.messagesAfter(phone.openid, phone.messages.at(-1)?.seq ?? 0))
    phone.historyEnd ??= phone.messages.at(-1)?.seq ?? 0
    if (isWatched(phone)) readAll(phone)
  }

  async function refreshMenu(phone: Phone) {
    if (phone.onDesk) phone.menu = phone.following ? await client.menuOf(phone.openid) : []
  }

  /** Numbers that went back mean that the sandbox started anew without its memory: the chat shown is of another world. */
  function forgetOlderWorld(info: PhoneInfo) {
    const known = find(info.openid)
    if (known && info.lastSeq < (known.messages.at(-1)?.seq ?? 0)) Object.assign(known, { messages: [], historyEnd: null })
  }

  function startAnew() {
    phones.list = []
    quietly(refresh())
  }

  /** Reads everything anew: at the start, and whenever the stream was interrupted. */
  async function refresh() {
    const before = new Set(phones.list)
    const [infos, now] = await Promise.all([client.listPhones(), client.clockNow()])
    clock.set(now)
    for (const info of infos) forgetOlderWorld(info)
    const told = infos.map((info) => Object.assign(find(info.openid) ?? createPhone(info), info))
    // A phone that the stream told of while the answer was under way may be younger than the answer.
    const younger = phones.list.filter((phone) => !before.has(phone) && !told.includes(phone))
    phones.list = [...told, ...younger]
    phones.loaded = true
    await Promise.all(phones.list.flatMap((phone) => [catchUp(phone), refreshMenu(phone)]))
  }

  function open(phone: Phone) {
    if (phone.onDesk) return
    phone.onDesk = true
    phone.news = 0
    quietly(Promise.all([catchUp(phone), refreshMenu(phone)]))
  }

  function close(phone: Phone) {
    phone.onDesk = false
    phone.watched = false
    phone.historyEnd = null
  }

  function receive(data: Record<string, unknown>) {
    if ('reset' in data) startAnew()
    if ('clock' in data) clock.set(parseClock(data.clock))
    if ('phone' in data) receivePhone(data.phone)
    if ('message' in data && typeof data.openid === 'string') receiveMessage(data.openid, data.message)
    if ('typing' in data && typeof data.openid === 'string') receiveTyping(data.openid, data.typing === true)
    if ('menu' in data) receiveMenu(data.menu)
  }

  function receivePhone(raw: unknown) {
    const info = parsePhones([raw])[0]
    if (!info) return
    const known = find(info.openid)
    if (!known) return void phones.list.push(createPhone(info))
    const changed = known.following !== info.following
    Object.assign(known, info, isWatched(known) ? { unread: 0 } : {})
    if (changed) quietly(refreshMenu(known))
  }

  function receiveMessage(openid: string, raw: unknown) {
    const message = parseMessage(raw)
    const phone = find(openid)
    if (!message || !phone) return
    if (phone.onDesk) takeMessages(phone, [message])
    if (message.from !== 'user') receiveTyping(openid, false)
    phone.last = message
    if (isWatched(phone)) readAll(phone)
    else if (message.from !== 'user') {
      phone.unread += 1
      if (!phone.onDesk) phone.news += 1
    }
  }

  const typingEnds = new Map<string, ReturnType<typeof setTimeout>>()

  function receiveTyping(openid: string, typing: boolean) {
    const phone = find(openid)
    if (!phone) return
    phone.typing = typing
    clearTimeout(typingEnds.get(openid))
    if (typing) typingEnds.set(openid, setTimeout(() => (phone.typing = false), TYPING_SHOWN_MS))
  }

  /** A menu changed: for the openids named, or for all. */
  function receiveMenu(raw: unknown) {
    const named = (raw as { openids?: unknown } | null)?.openids
    const meant = Array.isArray(named) ? phones.list.filter((phone) => named.includes(phone.openid)) : phones.list
    for (const phone of meant) quietly(refreshMenu(phone))
  }

  const isWatched = (phone: Phone) => phone.watched && document.visibilityState === 'visible'

  function readAll(phone: Phone) {
    const last = phone.messages.at(-1)
    if (!last || (phone.unread === 0 && last.from === 'user')) return
    phone.unread = 0
    quietly(client.markRead(phone.openid, last.seq))
  }

  function quietly(work: Promise<unknown>) {
    work.catch((error: unknown) => {
      lastError.value = error instanceof ApiError ? error.message : '出了点问题，请刷新页面'
    })
  }

  const connection = useStream('/api/stream', { opened: () => quietly(refresh()), event: receive })

  const visibility = () => {
    for (const phone of phones.list) if (isWatched(phone)) readAll(phone)
  }
  document.addEventListener('visibilitychange', visibility)
  onScopeDispose(() => typingEnds.forEach((timer) => clearTimeout(timer)))
  onScopeDispose(() => document.removeEventListener('visibilitychange', visibility))

  /** The last text on its way, a phone: the next one waits, so that texts arrive in the order they were written. */
  const sending = new Map<string, Promise<unknown>>()

  async function sendText(phone: Phone, text: string) {
    const pending = { id: nextPending++, text, failed: false }
    phone.pending = [...phone.pending, pending]
    const before = sending.get(phone.openid)
    const sent = Promise.resolve(before).then(() => client.sendText(phone.openid, text))
    sending.set(phone.openid, sent.catch(() => undefined))
    try {
      await sent
      // The stream has usually shown it by now; where it has not, fetch.
      if (phone.pending.some((one) => one.id === pending.id)) await catchUp(phone)
      phone.pending = phone.pending.filter((one) => one.id !== pending.id)
    } catch (error) {
      phone.pending = phone.pending.map((one) => (one.id === pending.id ? { ...one, failed: true } : one))
      throw error
    }
  }

  async function resend(phone: Phone, pending: Pending) {
    phone.pending = phone.pending.filter((one) => one.id !== pending.id)
    await sendText(phone, pending.text)
  }

  async function setFollowing(phone: Phone, following: boolean, scene?: string) {
    await (following ? client.follow(phone.openid, scene) : client.unfollow(phone.openid))
    phone.following = following
    await refreshMenu(phone)
  }

  async function addPhone(nickname: string): Promise<string> {
    const openid = await client.addPhone(nickname)
    await refresh()
    return openid
  }

  function watch(phone: Phone, watched: boolean) {
    phone.watched = watched
    if (isWatched(phone)) readAll(phone)
  }

  /** How many phones beside the desk got something new. */
  const news = computed(() => phones.list.filter((phone) => phone.news > 0).length)

  return {
    phones, news, clock, connection, lastError, find, open, close, sendText, resend, setFollowing, addPhone, watch,
    advanceClock: async (seconds: number) => clock.set(await client.advanceClock(seconds)),
    resetClock: async () => clock.set(await client.resetClock()),
  }
}

export type Store = ReturnType<typeof createStore>
export const storeKey: InjectionKey<Store> = Symbol('store')

export function useStore(): Store {
  const store = inject(storeKey)
  if (!store) throw new Error('the store is provided by App')
  return store
}
