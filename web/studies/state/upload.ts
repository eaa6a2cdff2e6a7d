import { computed, reactive, ref, shallowRef } from 'vue'
import { ApiError } from '../../shared/http'
import type { StudiesClient } from './client'
import { batchOf } from './fingerprint'
import { plan } from './plan'
import { sendUnit } from './sender'
import type { Chosen, Refused, Result, Unit } from './types'

const AT_ONCE = 3
const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 30_000
const ASK_MS = 1500
const UNAUTHORISED = 401
/** Answers after which the same request may well succeed: not there yet, elsewhere, too many, and all of the server's. */
const PASSING = [0, 408, 409, 423, 429]

export type Phase = 'choosing' | 'sending' | 'paused' | 'reading' | 'done' | 'stopped'

function passes(error: ApiError): boolean {
  return PASSING.includes(error.status) || error.status >= 500
}

/** Waits; shorter where the network comes back meanwhile. */
function patience(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(end, ms)
    function end() {
      clearTimeout(timer)
      removeEventListener('online', end)
      signal.removeEventListener('abort', stop)
      resolve()
    }
    function stop() {
      end()
      reject(signal.reason)
    }
    addEventListener('online', end)
    signal.addEventListener('abort', stop)
  })
}

/** What somebody brings: chosen, sent with some uploads at once, paused, gone on with, and what became of it. */
export function createUpload(clientOf: () => StudiesClient, leave: (error: unknown) => Promise<boolean>) {
  const phase = ref<Phase>('choosing')
  const trouble = ref('')
  const units = shallowRef<Unit[]>([])
  const result = ref<Result | null>(null)
  const unreadable = ref<Refused[]>([])
  const sent = reactive(new Map<Unit, number>())
  let batch = ''
  let queue: Unit[] = []
  let controller = new AbortController()
  let asking: ReturnType<typeof setTimeout> | undefined

  const bytes = computed(() => units.value.reduce((sum, unit) => sum + unit.size, 0))
  const bytesSent = computed(() => units.value.reduce((sum, unit) => sum + (sent.get(unit) ?? 0), 0))
  const files = computed(() => units.value.reduce((sum, unit) => sum + unit.files.length, 0))
  const filesSent = computed(() =>
    units.value.reduce((sum, unit) => sum + Math.floor((unit.files.length * (sent.get(unit) ?? 0)) / unit.size), 0),
  )

  async function start(chosen: Chosen[]) {
    units.value = plan(chosen)
    if (!units.value.length) {
      trouble.value = '选的文件都是空的，请重新选。'
      return
    }
    sent.clear()
    unreadable.value = []
    trouble.value = ''
    result.value = null
    batch = await batchOf(chosen)
    await goOn()
  }

  async function goOn() {
    controller = new AbortController()
    const { signal } = controller
    phase.value = 'sending'
    trouble.value = ''
    queue = units.value.filter((unit) => (sent.get(unit) ?? 0) < unit.size)
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, () => work(signal)))
      phase.value = 'reading'
      await ask()
    } catch (error) {
      if (signal.aborted) return // paused
      await stop(error)
    }
  }

  async function work(signal: AbortSignal) {
    for (let unit = queue.shift(); unit; unit = queue.shift()) {
      const failed = await persistently(unit, signal)
      unreadable.value.push(...failed)
      sent.set(unit, unit.size)
    }
  }

  /** Sends a unit, again and again while the network or the server is away. */
  async function persistently(unit: Unit, signal: AbortSignal): Promise<Refused[]> {
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      const before = sent.get(unit) ?? 0
      try {
        const failed = await sendUnit(unit, { client: clientOf(), batch, signal, onSent: (now) => note(unit, now) })
        trouble.value = ''
        return failed
      } catch (error) {
        if (signal.aborted || !(error instanceof ApiError) || !passes(error)) throw error
        trouble.value = error.status ? error.message : '网络断了，正在重新连接。已经传上去的不会丢。'
        if ((sent.get(unit) ?? 0) > before) wait = FIRST_WAIT_MS
        await patience(wait, signal)
      }
    }
  }

  function note(unit: Unit, now: number) {
    if (now > (sent.get(unit) ?? 0)) trouble.value = ''
    sent.set(unit, now)
  }

  function pause() {
    phase.value = 'paused'
    trouble.value = ''
    controller.abort(new DOMException('paused', 'AbortError'))
  }

  async function stop(error: unknown) {
    controller.abort(error)
    if (error instanceof ApiError && error.status === UNAUTHORISED && (await leave(error))) return
    trouble.value = error instanceof ApiError ? error.message : '上传出了点问题，请点“继续上传”。'
    phase.value = 'stopped'
  }

  /** Asks what became of it until all is read. */
  async function ask() {
    clearTimeout(asking)
    try {
      result.value = await clientOf().result(batch)
      trouble.value = result.value.heldUp
      if (!result.value.waiting) {
        phase.value = 'done'
        return
      }
    } catch (error) {
      if (!(error instanceof ApiError) || !passes(error)) {
        await stop(error)
        return
      }
      trouble.value = error.message
    }
    asking = setTimeout(() => void ask(), ASK_MS)
  }

  /** Shows what became of what was chosen last, before this page was opened. */
  async function recall() {
    const last = await clientOf().result()
    if (!last.batch || phase.value !== 'choosing') return
    batch = last.batch
    result.value = last
    if (last.waiting) {
      phase.value = 'reading'
      await ask()
    }
  }

  function again() {
    clearTimeout(asking)
    units.value = []
    result.value = null
    trouble.value = ''
    phase.value = 'choosing'
  }

  return { phase, trouble, bytes, bytesSent, files, filesSent, result, unreadable, start, pause, goOn, recall, again }
}

export type UploadState = ReturnType<typeof createUpload>
