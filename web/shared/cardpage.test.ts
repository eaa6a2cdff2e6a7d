import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { useCardPage } from './cardpage'
import { ApiError } from './http'
import { leaveForWeChat, tokenOfTab } from './login'

vi.mock('vue', async (actual) => ({ ...(await actual<object>()), onMounted: (begin: () => void) => begin() }))
vi.mock('./login', () => ({ tokenOfTab: vi.fn(), leaveForWeChat: vi.fn() }))

const SAID = { prefix: 'a-', trouble: '没有打开', missing: '没有您能看的' }
const OVER = new ApiError('unauthorised', '请重新登录', 401)

/** A page that shows what is answered; each question waits for its answer. */
function opened(more: { forbidden?: string } = {}) {
  const answers: { give: (words: string) => void; refuse: (error: unknown) => void }[] = []
  const read = () => new Promise<string>((give, refuse) => answers.push({ give, refuse }))
  const page = useCardPage({ ...SAID, ...more, connect: (token: string) => token, read })
  /** The question of this number, once it is put. */
  const asked = (number: number) => vi.waitFor(() => {
    const found = answers[number - 1]
    if (!found) throw new Error('not asked yet')
    return found
  })
  return { page, asked }
}

beforeEach(() => vi.mocked(tokenOfTab).mockResolvedValue('token'))
afterEach(() => vi.clearAllMocks())

describe('a page that a card opens', () => {
  it('shows what it read, as the person whom WeChat named', async () => {
    const { page, asked } = opened()
    expect(page.phase.value).toBe('opening')
    ;(await asked(1)).give('one')
    await vi.waitFor(() => expect(page.phase.value).toBe('page'))
    expect([page.client.value, page.content.value]).toEqual(['token', 'one'])
  })

  it('shows no answer that a later question has overtaken', async () => {
    const { page, asked } = opened()
    ;(await asked(1)).give('one')
    await vi.waitFor(() => expect(page.phase.value).toBe('page'))
    const [early, late] = [page.refresh(), page.refresh()]
    ;(await asked(3)).give('three')
    await late
    ;(await asked(2)).give('two')
    await early
    expect(page.content.value).toBe('three')
    const last = page.refresh()
    page.show('told')
    ;(await asked(4)).give('four')
    await last
    expect(page.content.value).toBe('told')
  })

  it('says who may see it where there is nothing, and the server’s own words otherwise', async () => {
    for (const [status, said] of [[404, SAID.missing], [403, '不能看'], [500, '坏了']] as const) {
      const { page, asked } = opened({ forbidden: '不能看' })
      ;(await asked(1)).refuse(new ApiError('x', '坏了', status))
      await vi.waitFor(() => expect(page.phase.value).toBe('notice'))
      expect(page.notice.value).toBe(said)
    }
  })

  it('leaves to ask who opens it where the session is over, and says so where WeChat cannot be asked', async () => {
    const { page, asked } = opened()
    ;(await asked(1)).refuse(OVER)
    await vi.waitFor(() => expect(leaveForWeChat).toHaveBeenCalledOnce())
    expect(page.phase.value).toBe('opening')
    vi.mocked(leaveForWeChat).mockRejectedValueOnce(new ApiError('login', '没有认出您是谁', 400))
    await page.fail(OVER)
    expect([page.phase.value, page.notice.value]).toEqual(['notice', '没有认出您是谁'])
  })
})
