import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { cameBack, leaveForWeChat } from './login'

const WECHAT = 'https://open.weixin.qq.com/connect'

const kept = new Map<string, string>()
const place = { pathname: '/h5/rooms/c', search: '', replace: vi.fn() }

beforeEach(() => {
  kept.clear()
  place.search = ''
  place.replace.mockReset()
  vi.stubGlobal('location', place)
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  })
})
afterEach(() => vi.unstubAllGlobals())

function wechatIs(url: unknown) {
  vi.stubGlobal('fetch', () => Promise.resolve(Response.json({ url, state: 's1' })))
}

describe('a login', () => {
  it('is taken once, and only where this tab asked for it', async () => {
    wechatIs(WECHAT)
    await leaveForWeChat()
    expect(place.replace).toHaveBeenCalledWith(WECHAT)
    place.search = '?code=c&state=s2'
    expect(cameBack()).toBeNull()
    place.search = '?code=c&state=s1'
    expect(cameBack()).toEqual({ code: 'c', state: 's1' })
    expect(cameBack()).toBeNull()
  })

  it('leads to web addresses alone', async () => {
    for (const bad of ['javascript:alert(1)', '//evil.example', 'data:text/html,x', 5]) {
      wechatIs(bad)
      await expect(leaveForWeChat()).rejects.toThrow()
    }
    expect(place.replace).not.toHaveBeenCalled()
  })
})
