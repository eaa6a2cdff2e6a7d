import { computed, onScopeDispose, reactive, ref, shallowRef, watch } from 'vue'
import { ApiError } from '../../shared/http'
import { readUnsaved, forgetUnsaved, keepUnsaved } from './unsaved'
import type { Report, Texts } from './types'

const QUIET_MS = 800
const AGAIN_MS = 5000
const UNAUTHORISED = 401

/** `saved`: all is on the server; `writing`, `saving`: soon; `offline`: tried again; `conflict`: the other text is newer. */
export type Standing = 'saved' | 'writing' | 'saving' | 'offline' | 'conflict' | 'refused'

export interface Saver {
  write(report: string, revision: number, texts: Texts, leaving?: boolean): Promise<Report>
  /** The draft as the server has it now; null where it is no draft any more. */
  latest(report: string): Promise<Report | null>
  /** The session is over. */
  lost(error: unknown): void
}

function textsOf({ examination, findings, impression }: Texts): Texts {
  return { examination, findings, impression }
}

/** The server keeps no blanks around a text, so two texts are the same without them. */
export function isSame(one: Texts, other: Texts): boolean {
  return (['examination', 'findings', 'impression'] as const).every((field) => one[field].trim() === other[field].trim())
}

/** A draft that saves itself; what is not on the server yet is kept in the tab, and nothing is ever written over unseen. */
export function createDraft(report: Report, saver: Saver) {
  const texts = reactive<Texts>(textsOf(report))
  const standing = ref<Standing>('saved')
  const problem = ref('')
  const savedAt = ref(report.updatedAt)
  const theirs = shallowRef<Report | null>(null)
  const setAside = shallowRef<Texts | null>(null)
  const hasConflict = computed(() => standing.value === 'conflict')
  const revision = ref(report.revision)
  let onServer = textsOf(report)
  let timer: ReturnType<typeof setTimeout> | undefined
  let going: Promise<void> | null = null

  function changed() {
    if (standing.value === 'conflict' || standing.value === 'refused') {
      keepUnsaved(report.id, { revision: revision.value, texts: textsOf(texts) })
      return
    }
    if (isSame(texts, onServer)) return
    keepUnsaved(report.id, { revision: revision.value, texts: textsOf(texts) })
    standing.value = 'writing'
    later(QUIET_MS)
  }

  function later(ms: number) {
    clearTimeout(timer)
    timer = setTimeout(() => void flush(), ms)
  }

  function took(saved: Report, sent: Texts) {
    revision.value = saved.revision
    onServer = sent
    savedAt.value = saved.updatedAt
    problem.value = ''
    if (isSame(texts, sent)) {
      standing.value = 'saved'
      forgetUnsaved(report.id)
    } else {
      keepUnsaved(report.id, { revision: revision.value, texts: textsOf(texts) })
      standing.value = 'writing'
      later(QUIET_MS)
    }
  }

  async function clash() {
    const now = await saver.latest(report.id)
    if (!now) {
      standing.value = 'refused'
      problem.value = '这份草稿已经签发或者丢掉了。您写的还在这里，请先复制下来，再重新打开页面。'
      return
    }
    if (isSame(now, texts)) {
      took(now, textsOf(now)) // the answer to our own words was lost on the way
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
    const sent = textsOf(texts)
    standing.value = 'saving'
    try {
      took(await saver.write(report.id, revision.value, sent, leaving), sent)
    } catch (error) {
      await failed(error)
    }
  }

  /** Saves now what is not saved; true where all of it is. */
  async function flush(leaving = false): Promise<boolean> {
    clearTimeout(timer)
    if (going) await going
    if (standing.value !== 'conflict' && standing.value !== 'refused' && !isSame(texts, onServer)) {
      going = save(leaving)
      await going
      going = null
    }
    return standing.value === 'saved'
  }

  /** Writes what stands here over what was written elsewhere. */
  async function useMine(): Promise<void> {
    if (!theirs.value) return
    revision.value = theirs.value.revision
    onServer = textsOf(theirs.value)
    theirs.value = null
    standing.value = 'writing'
    await flush()
  }

  /** Takes what was written elsewhere; what stood here stays readable. */
  function useTheirs() {
    if (!theirs.value) return
    setAside.value = textsOf(texts)
    const taken = theirs.value
    theirs.value = null
    Object.assign(texts, textsOf(taken))
    took(taken, textsOf(taken))
  }

  function restore() {
    const kept = readUnsaved(report.id)
    if (!kept || isSame(kept.texts, report)) {
      forgetUnsaved(report.id)
      return
    }
    Object.assign(texts, kept.texts)
    if (kept.revision === report.revision) {
      standing.value = 'writing'
      later(0)
    } else {
      theirs.value = report
      standing.value = 'conflict'
    }
  }

  restore()
  watch(texts, changed, { flush: 'sync' })
  onScopeDispose(() => clearTimeout(timer))
  return { id: report.id, report, texts, standing, problem, savedAt, revision, theirs, setAside, hasConflict, flush, useMine, useTheirs }
}

export type Draft = ReturnType<typeof createDraft>
