import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { ApiError } from '../../shared/http'
import { createDraft, type Draft, type Saver } from './draft'
import type { Report, Texts } from './types'

const kept = new Map<string, string>()
const report: Report = {
  id: 'r', number: 'HZ1-01', version: 1, state: 'draft', revision: 3, studyUid: '1.2', examination: '胸部CT', findings: '', impression: '',
  reason: '', author: '张强', institution: '省医院', updatedAt: 0, signedAt: null,
}

/** A server with one draft. */
function server() {
  const held = { ...report }
  const failing: ApiError[] = []
  const saver: Saver = {
    async write(_id, revision, texts) {
      const failure = failing.shift()
      if (failure) throw failure
      if (revision !== held.revision) throw new ApiError('conflict', '刚在别的地方改过', 409)
      Object.assign(held, trimmed(texts), { revision: revision + 1 })
      return { ...held }
    },
    latest: async () => (held.state === 'draft' ? { ...held } : null),
    lost: vi.fn<(error: unknown) => void>(),
  }
  return { held, failing, saver }
}

function trimmed(texts: Texts): Texts {
  return { examination: texts.examination.trim(), findings: texts.findings.trim(), impression: texts.impression.trim() }
}

function opened(saver: Saver, of: Report = report): Draft {
  const draft = effectScope(true).run(() => createDraft(of, saver))
  if (!draft) throw new Error('no draft')
  return draft
}

beforeEach(() => {
  kept.clear()
  vi.useFakeTimers()
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('a draft that saves itself', () => {
  it('saves a while after the last key, and keeps nothing in the tab afterwards', async () => {
    const { held, saver } = server()
    const draft = opened(saver)
    draft.texts.findings = '双肺清晰。\n'
    expect(draft.standing.value).toBe('writing')
    expect(kept.size).toBe(1)
    await vi.advanceTimersByTimeAsync(1000)
    expect(draft.standing.value).toBe('saved')
    expect(held.findings).toBe('双肺清晰。')
    expect(draft.texts.findings).toBe('双肺清晰。\n')
    expect(kept.size).toBe(0)
  })

  it('tries again while the network is away, and loses nothing', async () => {
    const { held, failing, saver } = server()
    failing.push(new ApiError('unreachable', '连不上服务器', 0), new ApiError('busy', '人有点多', 503))
    const draft = opened(saver)
    draft.texts.impression = '未见异常。'
    await vi.advanceTimersByTimeAsync(1000)
    expect(draft.standing.value).toBe('offline')
    expect(kept.size).toBe(1)
    await vi.advanceTimersByTimeAsync(11_000)
    expect(draft.standing.value).toBe('saved')
    expect(held.impression).toBe('未见异常。')
  })

  it('writes over nothing unseen: mine is written when I say so', async () => {
    const { held, saver } = server()
    const draft = opened(saver)
    Object.assign(held, { findings: '聊天里写的。', revision: 4 })
    draft.texts.findings = '这里写的。'
    await vi.advanceTimersByTimeAsync(1000)
    expect(draft.standing.value).toBe('conflict')
    expect(draft.theirs.value?.findings).toBe('聊天里写的。')
    expect(held.findings).toBe('聊天里写的。')
    draft.texts.findings = '这里接着写的。'
    await vi.advanceTimersByTimeAsync(10_000)
    expect(held.findings).toBe('聊天里写的。')
    await draft.useMine()
    expect(held.findings).toBe('这里接着写的。')
    expect(draft.standing.value).toBe('saved')
  })

  it('takes theirs and keeps mine readable', async () => {
    const { held, saver } = server()
    const draft = opened(saver)
    Object.assign(held, { findings: '聊天里写的。', revision: 4 })
    draft.texts.findings = '这里写的。'
    expect(await draft.flush()).toBe(false)
    draft.useTheirs()
    expect(draft.texts.findings).toBe('聊天里写的。')
    expect(draft.setAside.value?.findings).toBe('这里写的。')
    expect(draft.standing.value).toBe('saved')
    draft.texts.findings = '聊天里写的，再加一句。'
    await vi.advanceTimersByTimeAsync(1000)
    expect(held.findings).toBe('聊天里写的，再加一句。')
  })

  it('knows its own words again where the answer to them was lost', async () => {
    const { held, saver } = server()
    const draft = opened(saver)
    Object.assign(held, { findings: '双肺清晰。', revision: 4 })
    draft.texts.findings = '双肺清晰。'
    expect(await draft.flush()).toBe(true)
    expect(draft.revision.value).toBe(4)
  })

  it('says that a draft is gone and keeps the words', async () => {
    const { held, saver } = server()
    const draft = opened(saver)
    Object.assign(held, { state: 'signed', revision: 4 })
    draft.texts.findings = '这里写的。'
    await draft.flush()
    expect(draft.standing.value).toBe('refused')
    expect(draft.problem.value).toContain('您写的还在这里')
  })

  it('finds what was not saved after a reload', async () => {
    const first = server()
    first.failing.push(new ApiError('login_refused', '', 401))
    const draft = opened(first.saver)
    draft.texts.findings = '还没保存。'
    await draft.flush()
    expect(first.saver.lost).toHaveBeenCalledOnce()
    const { held, saver } = server()
    const again = opened(saver)
    expect(again.texts.findings).toBe('还没保存。')
    await vi.advanceTimersByTimeAsync(1000)
    expect(held.findings).toBe('还没保存。')
  })

  it('asks after a reload where the other text is newer', () => {
    const { saver } = server()
    opened(saver).texts.findings = '还没保存。'
    const newer = opened(saver, { ...report, revision: 9, findings: '别处写的。' })
    expect(newer.standing.value).toBe('conflict')
    expect(newer.texts.findings).toBe('还没保存。')
  })
})
