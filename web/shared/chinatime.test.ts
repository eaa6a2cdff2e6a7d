import { describe, expect, it } from 'vitest'
import { clockText, dateText, fullText, listText, stampText, toMillis } from './chinatime'

const at = (iso: string) => Date.parse(iso)
const now = at('2026-11-21T16:30:00+08:00') // a Saturday

describe('times as people in China read them', () => {
  it('reads Shanghai time wherever the browser stands', () => {
    expect(clockText(at('2026-11-20T16:05:00Z'))).toBe('00:05')
    expect(dateText(at('2026-11-20T16:05:00Z'))).toBe('11月21日 星期六')
    expect(fullText(now)).toBe('2026/11/21 16:30:00')
  })

  it.each([
    ['2026-11-21T00:00:00+08:00', '00:00', '00:00'],
    ['2026-11-20T23:59:59+08:00', '昨天 23:59', '昨天'],
    ['2026-11-15T09:00:00+08:00', '星期日 09:00', '星期日'],
    ['2026-11-14T09:00:00+08:00', '11月14日 09:00', '11/14'],
    ['2025-12-31T09:00:00+08:00', '2025年12月31日 09:00', '12/31'],
    ['2026-11-22T09:00:00+08:00', '11月22日 09:00', '11/22'], // ahead: after the clock was put back
  ])('says %s as WeChat would', (moment, stamp, list) => {
    expect(stampText(at(moment), now)).toBe(stamp)
    expect(listText(at(moment), now)).toBe(list)
  })

  it('takes ISO, seconds and milliseconds, and refuses the rest', () => {
    expect(toMillis('2026-11-21T08:30:00Z')).toBe(now)
    expect(toMillis(now / 1000)).toBe(now)
    expect(toMillis(now)).toBe(now)
    for (const value of ['x', null, undefined, Number.NaN, {}]) expect(toMillis(value)).toBeNull()
  })
})
