import { describe, expect, it, vi } from 'vitest'
import { callOf } from './bridge'

const frame = { postMessage: vi.fn() } as unknown as Window
const posted = (data: unknown, source: unknown = frame) => ({ data, source, origin: 'http://127.0.0.1:8080' }) as MessageEvent<unknown>

describe('callOf', () => {
  it('reads a call of the page in the frame, and answers that page alone', () => {
    const call = callOf(posted({ weixin: 'getBrandWCPayRequest', id: 3, fields: { appId: 'wx1', timeStamp: 5, more: {} } }), frame)
    expect(call?.fields).toEqual({ appId: 'wx1', timeStamp: '5', more: '' })
    call?.answer('cancel')
    expect(frame.postMessage).toHaveBeenCalledWith({ id: 3, answer: { err_msg: 'get_brand_wcpay_request:cancel' } }, 'http://127.0.0.1:8080')
  })

  it('hears nobody else, and nothing else', () => {
    expect(callOf(posted({ weixin: 'getBrandWCPayRequest' }, {}), frame)).toBeNull()
    expect(callOf(posted({ weixin: 'getBrandWCPayRequest' }), null)).toBeNull()
    for (const data of [null, 'a', 3, [], {}, { weixin: {} }]) expect(callOf(posted(data), frame)).toBeNull()
  })
})
