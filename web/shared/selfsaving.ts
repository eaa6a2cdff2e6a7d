import { computed, onScopeDispose, reactive, ref, shallowRef, watch } from 'vue'
import { ApiError } from './http'
import { isRaw, number } from './raw'

const QUIET_MS = 800
const AGAIN_MS = 5000
const UNAUTHORISED = 401
const PREFIX = 'qiaoyi-unsaved-'

/**
 * `saved`: all is on the server; `writing`, `saving`: soon; `partial`: something is not written yet, without which it cannot be
 * saved; `offline`: tried again; `conflict`: what the server has is newer; `refused`: the server does not take it.
 */
export type Standing = 'saved' | 'writing' | 'saving' | 'partial' | 'offline' | 'conflict' | 'refused'

/** An answer of the server: `revision` goes with the next edit; when it was saved, in epoch milliseconds. */
export interface Versioned {
  revision: number
  updatedAt: number
}

export interface Saver<Content extends object, Saved extends Versioned> {
  /** By which the tab knows what it keeps. */
  id: string
  /** A copy of what can be edited. */
  contentOf: (saved: Saved | Content) => Content
  isSame: (one: Content, other: Content) => boolean
  /** What the tab kept; null where it is none. */
  parse: (kept: unknown) => Content | null
  /** What is missing before it can be saved; '' where nothing is. */
  missing?: (content: Content) => string
  write: (revision: number, content: Content, leaving: boolean) => Promise<Saved>
  /** As the server has it now; null where it cannot be edited any more. */
  latest: () => Promise<Saved | null>
  /** What is said then. */
  gone: string
  /** The session is over. */
  lost: (error: unknown) => void
}

function keepUnsaved(id: string, revision: number, content: object): void {
  try {
    sessionStorage.setItem(PREFIX + id, JSON.stringify({ revision, content }))
  } catch {
    // A browser that keeps nothing has it on the page alone.
  }
}

function readUnsaved<Content>(id: string, parse: (kept: unknown) => Content | null): { revision: number; content: Content } | null {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(PREFIX + id) ?? 'null')
    const content = isRaw(kept) ? parse(kept.content) : null
    return isRaw(kept) && content ? { revision: number(kept.revision), content } : null
  } catch {
    return null
  }
}

function forgetUnsaved(id: string): void {
  try {
    sessionStorage.removeItem(PREFIX + id)
  } catch {
    // there was nothing to forget
  }
}

/** What saves itself; what is not on the server yet is kept in the tab, and nothing is ever written over unseen. */
export function createSelfSaving<Content extends object, Saved extends Versioned>(first: Saved, saver: Saver<Content, Saved>) {
  const { id, contentOf, isSame } = saver
  const content = reactive(contentOf(first)) as Content
  const standing = ref<Standing>('saved')
  const problem = ref('')
  const savedAt = ref(first.updatedAt)
  const theirs = shallowRef<Saved | null>(null)
  const setAside = shallowRef<Content | null>(null)
  const hasConflict = computed(() => standing.value === 'conflict')
  const revision = ref(first.revision)
  /** The newest answer of the server, and what it is the answer to. */
  const answer = shallowRef<{ saved: Saved; to: Content }>({ saved: first, to: contentOf(content) })
  let onServer = contentOf(content)
  let timer: ReturnType<typeof setTimeout> | undefined
  let going: Promise<void> | null = null

  const stands = () => standing.value === 'conflict' || standing.value === 'refused'

  function changed() {
    if (!stands() && isSame(content, onServer)) {
      if (standing.value !== 'saving') settled()
      return
    }
    keepUnsaved(id, revision.value, content)
    if (!stands()) soon()
  }

  function soon() {
    problem.value = saver.missing?.(content) ?? ''
    standing.value = problem.value ? 'partial' : 'writing'
    if (problem.value) clearTimeout(timer)
    else later(QUIET_MS)
  }

  function settled() {
    clearTimeout(timer)
    problem.value = ''
    standing.value = 'saved'
    forgetUnsaved(id)
  }

  function later(ms: number) {
    clearTimeout(timer)
    timer = setTimeout(() => void flush(), ms)
  }

  function took(saved: Saved, sent: Content) {
    revision.value = saved.revision
    answer.value = { saved, to: sent }
    onServer = sent
    savedAt.value = saved.updatedAt
    if (isSame(content, sent)) {
      settled()
    } else {
      keepUnsaved(id, revision.value, content)
      soon()
    }
  }

  async function clash() {
    const now = await saver.latest()
    if (!now) {
      standing.value = 'refused'
      problem.value = saver.gone
      return
    }
    const there = contentOf(now)
    if (isSame(there, content)) {
      took(now, contentOf(content)) // the answer to our own words was lost on the way
      return
    }
    theirs.value = now
    standing.value = 'conflict'
  }

  async function failed(error: unknown) {
    const known = error instanceof ApiError ? error : new ApiError('page', '没有保存上', 0)
    if (known.status === UNAUTHORISED) {
      saver.lost(error)
    } else if (known.code === 'conflict') {
      try {
        await clash()
      } catch (second) {
        wait(second)
      }
    } else if (known.status === 0 || known.status === 429 || known.status >= 500) {
      wait(known)
    } else {
      standing.value = 'refused'
      problem.value = `${known.message}您写的还在这里，没有丢。`
    }
  }

  function wait(error: unknown) {
    standing.value = 'offline'
    problem.value = error instanceof ApiError ? error.message : '没有保存上'
    later(AGAIN_MS)
  }

  async function save(leaving: boolean) {
    const sent = contentOf(content)
    standing.value = 'saving'
    try {
      took(await saver.write(revision.value, sent, leaving), sent)
    } catch (error) {
      await failed(error)
    }
  }

  /** Saves now what is not saved; true where all of it is. */
  async function flush(leaving = false): Promise<boolean> {
    clearTimeout(timer)
    if (going) await going
    if (!stands() && standing.value !== 'partial' && !isSame(content, onServer)) {
      going = save(leaving)
      await going
      going = null
    }
    return standing.value === 'saved'
  }

  /**
   * Lets the server change it another way, after everything that stands here is saved. Tells whether it did.
   * Raises ApiError, but for a conflict, which is shown.
   */
  async function apply(work: (revision: number) => Promise<Saved>): Promise<boolean> {
    if (!(await flush())) return false
    try {
      take(await work(revision.value))
      return true
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'conflict')) throw error
      await failed(error)
      return false
    }
  }

  /** Shows what the server has, where that is something else than what stands here. */
  function take(saved: Saved) {
    const there = contentOf(saved)
    if (!isSame(content, there)) Object.assign(content, there)
    took(saved, contentOf(content))
  }

  /** Writes what stands here over what was written elsewhere. */
  async function useMine(): Promise<void> {
    if (!theirs.value) return
    revision.value = theirs.value.revision
    onServer = contentOf(theirs.value)
    theirs.value = null
    soon()
    await flush()
  }

  /** Takes what was written elsewhere; what stood here stays readable. */
  function useTheirs() {
    if (!theirs.value) return
    setAside.value = contentOf(content)
    const taken = theirs.value
    theirs.value = null
    take(taken)
  }

  /** Tries once more to save what the server did not take, because something about it has changed. */
  function tryAgain() {
    if (standing.value === 'refused') soon()
  }

  function restore() {
    const kept = readUnsaved(id, saver.parse)
    if (!kept || isSame(kept.content, content)) {
      forgetUnsaved(id)
      return
    }
    Object.assign(content, kept.content)
    if (kept.revision === first.revision) {
      soon()
    } else {
      theirs.value = first
      standing.value = 'conflict'
    }
  }

  restore()
  watch(() => content, changed, { flush: 'sync', deep: true })
  onScopeDispose(() => clearTimeout(timer))
  return { id, content, standing, problem, savedAt, revision, answer, theirs, setAside, hasConflict, flush, apply, take, useMine, useTheirs, tryAgain }
}
