import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { ApiError } from './http'
import { isRaw, text } from './raw'
import { createSelfSaving } from './selfsaving'

interface Words { said: string }
interface Saved extends Words { revision: number; updatedAt: number }

const kept = new Map<string, string>()

/** A server with one thing, and the page that edits it. */
function opened() {
  const held: Saved = { said: '', revision: 1, updatedAt: 0 }
  const take = (revision: number, said: string): Saved => {
    if (revision !== held.revision) throw new ApiError('conflict', '刚在别的地方改过', 409)
    Object.assign(held, { said, revision: revision + 1 })
    return { ...held }
  }
  const draft = effectScope(true).run(() =>
    createSelfSaving<Words, Saved>({ ...held }, {
      id: 'one',
      contentOf: ({ said }) => ({ said }),
      isSame: (one, other) => one.said === other.said,
      parse: (value) => (isRaw(value) ? { said: text(value.said) } : null),
      missing: ({ said }) => (said.endsWith('…') ? '还没写完' : ''),
      write: async (revision, { said }) => take(revision, said),
      latest: async () => ({ ...held }),
      gone: '没有了',
      lost: vi.fn<(error: unknown) => void>(),
    }),
  )
  if (!draft) throw new Error('no draft')
  return { held, draft, take }
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

describe('what saves itself', () => {
  it('is not sent while something is missing, and is kept in the tab', async () => {
    const { held, draft } = opened()
    draft.content.said = '阿莫西…'
    await vi.advanceTimersByTimeAsync(2000)
    expect([draft.standing.value, draft.problem.value, held.said, kept.size]).toEqual(['partial', '还没写完', '', 1])
    draft.content.said = '阿莫西林'
    await vi.advanceTimersByTimeAsync(1000)
    expect([draft.standing.value, held.said, kept.size]).toEqual(['saved', '阿莫西林', 0])
  })

  it('is saved again once it stands as it was', async () => {
    const { draft } = opened()
    draft.content.said = '一'
    draft.content.said = ''
    await vi.advanceTimersByTimeAsync(2000)
    expect([draft.standing.value, kept.size]).toEqual(['saved', 0])
  })

  it('is changed by the server after all that was written is saved', async () => {
    const { held, draft, take } = opened()
    draft.content.said = '一'
    expect(await draft.apply(async (revision) => take(revision, `${held.said}二`))).toBe(true)
    expect([draft.content.said, draft.standing.value, draft.revision.value]).toEqual(['一二', 'saved', 3])
  })

  it('asks which one holds where the server’s change meets another', async () => {
    const { held, draft, take } = opened()
    Object.assign(held, { said: '别处写的', revision: 9 })
    expect(await draft.apply(async (revision) => take(revision, '模板'))).toBe(false)
    expect([draft.standing.value, draft.theirs.value?.said]).toEqual(['conflict', '别处写的'])
  })
})
