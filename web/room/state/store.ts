import { type EffectScope, effectScope, inject, type InjectionKey, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { openDeskSession } from '../../shared/deskcode'
import { ApiError } from '../../shared/http'
import { type Back, cameBack, leaveForWeChat, openSession } from '../../shared/login'
import { goTo, REPORTS, STUDIES } from '../../shared/pages'
import * as client from './client'
import { createGuide, type Guide } from './guide'
import { createLocal } from './local'
import { createLooking, type Looking } from './looking'
import { createRoom, type Room } from './room'
import { type Notice, noticeFor, noticeForError } from './sentences'
import { createStage, type Stage } from './stage'
import { canAskWeChat } from './surroundings'
import { consultationIn, forgetTab, keepTab, readTab, type Tab } from './tab'
import type { Entry } from './types'

const EARLY_ASK_MS = 10_000

export type Phase = 'opening' | 'desk' | 'check' | 'call' | 'notice'

export interface Call {
  room: Room
  stage: Stage
  guide: Guide
  looking: Looking
}

/** From the address to the room: who opens the page, what they are shown, and the call itself. */
export function createStore() {
  const phase = ref<Phase>('opening')
  const notice = shallowRef<Notice>(noticeFor('trouble'))
  const entry = shallowRef<Entry | null>(null)
  const call = shallowRef<Call | null>(null)
  const local = createLocal()
  let tab: Tab | null = null
  let scope: EffectScope | null = null
  let asking: ReturnType<typeof setTimeout> | undefined

  function show(what: Notice) {
    end()
    local.stop()
    notice.value = what
    phase.value = 'notice'
  }

  function end() {
    clearTimeout(asking)
    scope?.stop()
    scope = null
    call.value = null
  }

  function fail(error: unknown) {
    const known = error instanceof ApiError ? error : new ApiError('page', '页面出了点问题，请重新打开', 0)
    if (known.status === 401) askWhoItIs()
    else show(noticeForError(known))
  }

  /** The bearer token is missing or over: begin from who opens the page. */
  function askWhoItIs() {
    forgetTab()
    tab = null
    if (canAskWeChat) {
      void login()
      return
    }
    end()
    phase.value = 'desk'
  }

  async function login() {
    phase.value = 'opening'
    try {
      await leaveForWeChat()
    } catch (error) {
      show(noticeForError(error instanceof ApiError ? error : new ApiError('unreachable', '', 0)))
    }
  }

  async function start() {
    const consultation = consultationIn(location.pathname)
    const back = consultation ? cameBack() : null
    tab = readTab()
    if (back && consultation) {
      await identify(back, consultation)
    } else if (tab && (consultation === null || consultation === tab.consultation)) {
      await look()
    } else if (consultation === null) {
      phase.value = 'desk'
    } else {
      askWhoItIs()
    }
  }

  async function identify(back: Back, consultation: string) {
    try {
      const token = await openSession(back)
      keep({ token, consultation, entered: false, audio: true, camera: true })
    } catch (error) {
      const known = error instanceof ApiError ? error : new ApiError('login', '', 0)
      show(known.status >= 400 && known.status < 500 ? noticeFor('login') : noticeForError(known))
      return
    }
    await look()
  }

  /** Raises ApiError where the code is wrong, used or too old. */
  async function enterDeskCode(code: string) {
    const { token, consultation, page } = await openDeskSession(code)
    if (page !== 'room') {
      goTo(page === 'studies' ? STUDIES : REPORTS, consultation, token)
      return
    }
    keep({ token, consultation, entered: false, audio: true, camera: true })
    await look()
  }

  function keep(kept: Tab) {
    tab = kept
    keepTab(kept)
  }

  /** What the room says of itself; while it is early, asked again and again. */
  async function look() {
    if (!tab) return
    clearTimeout(asking)
    try {
      entry.value = await client.readEntry(tab.consultation, tab.token)
    } catch (error) {
      fail(error)
      return
    }
    if (entry.value.state === 'closed') {
      show(noticeFor(entry.value.recorded ? 'room_recorded' : 'room_closed'))
      return
    }
    if (entry.value.state === 'early') asking = setTimeout(() => void look(), EARLY_ASK_MS)
    if (phase.value === 'check') return
    Object.assign(local.state, { audioOn: tab.audio, cameraOn: tab.camera })
    if (tab.entered && entry.value.state === 'open') {
      await local.start()
      enter()
    } else {
      phase.value = 'check'
      await local.start()
    }
  }

  function enter() {
    const kept = tab
    if (!kept) return
    end()
    scope = effectScope(true)
    scope.run(() => {
      const room = createRoom({
        consultation: kept.consultation,
        token: kept.token,
        local,
        closed: (code) => show(noticeFor(code)),
        refused: (error) => (error.code === 'room_early' ? backToCheck() : fail(error)),
        joined: () => remember({ entered: true }),
      })
      const stage = createStage(room, local)
      const looking = createLooking(room, () => client.hasImages(kept.consultation, kept.token))
      call.value = { room, stage, guide: createGuide(room, stage), looking }
    })
    phase.value = 'call'
  }

  function backToCheck() {
    end()
    phase.value = 'check'
    void look()
  }

  function remember(change: Partial<Tab>) {
    if (tab) keep({ ...tab, ...change })
  }

  function leave() {
    call.value?.room.leave()
    remember({ entered: false })
    show(noticeFor('left'))
  }

  /** Into the room again after a notice; without the check, which the person has done. */
  async function enterAgain() {
    phase.value = 'opening'
    if (!local.tracks.audio && !local.tracks.camera) await local.start()
    enter()
  }

  watch(() => [local.state.audioOn, local.state.cameraOn] as const, ([audio, camera]) => remember({ audio, camera }))
  onScopeDispose(end)
  void start()

  return {
    phase, notice, entry, call, local, enter, enterAgain, enterDeskCode, leave, login: askWhoItIs,
    whose: () => ({ consultation: tab?.consultation ?? '', token: tab?.token ?? '' }),
  }
}

export type Store = ReturnType<typeof createStore>
export const storeKey: InjectionKey<Store> = Symbol('store')

export function useStore(): Store {
  const store = inject(storeKey)
  if (!store) throw new Error('the store is provided by App')
  return store
}

/** The call that is going on, for the components that are shown only during one. */
export function useCall(): Call {
  const { call } = useStore()
  if (!call.value) throw new Error('there is no call')
  return call.value
}
