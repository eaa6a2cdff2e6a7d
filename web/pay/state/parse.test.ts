import { describe, expect, it } from 'vitest'
import { parseCharge, parseOrder } from './parse'

const ANSWER = {
  id: 'a', number: 'FY1', state: 'payable', total: '200.00', cash: '36.00', parts: [{ label: '医保付', amount: '164.00' }],
  explained: ['费用一共200元。', '您要付36元。'], paid: '0.00', returned: '0.00',
  starts_at: '2026-11-23T01:30:00Z', expires_at: '2026-11-22T05:15:00Z',
}
const ORDER = { appId: 'wx1', timeStamp: '1', nonceStr: 'n', package: 'prepay_id=wx1', signType: 'RSA', paySign: 's' }

describe('parseCharge', () => {
  it('reads what is to be paid', () => {
    const charge = parseCharge(ANSWER)
    expect([charge?.state, charge?.cash, charge?.parts, charge?.explained.length]).toEqual(['payable', '36.00', [{ label: '医保付', amount: '164.00' }], 2])
    expect(charge?.expiresAt).toBe(Date.UTC(2026, 10, 22, 5, 15))
  })

  it('shows no amount that it cannot read', () => {
    for (const other of [null, 3, [], {}, { ...ANSWER, cash: 36 }, { ...ANSWER, cash: '' }, { ...ANSWER, state: 'new' }]) expect(parseCharge(other)).toBeNull()
  })
})

describe('parseOrder', () => {
  it('hands on what it was given, and nothing else', () => {
    expect(parseOrder({ ...ORDER, more: 'x' })).toEqual(ORDER)
    for (const name of Object.keys(ORDER)) expect(parseOrder({ ...ORDER, [name]: '' })).toBeNull()
    expect(parseOrder(null)).toBeNull()
  })
})
