import { describe, expect, it } from 'vitest'
import { countSaid, daysBefore, daySaid, rangeSaid, sharedCounty, symptomsSaid } from './surveillance'

describe('words of the surveillance', () => {
  it('say a count as exactly as it is known', () => {
    expect(countSaid({ low: 12, high: 12, text: '12' })).toBe('12例')
    expect(countSaid({ low: 1, high: 4, text: '<5' })).toBe('少于5例')
    expect(countSaid({ low: 13, high: 16, text: '13~16' })).toBe('13到16例')
    expect(countSaid(null)).toBe('没有数据')
  })

  it('say days with their weekday, and go back over the end of a month', () => {
    expect(daySaid('2026-11-21')).toBe('11月21日 星期六')
    expect(daysBefore('2026-03-01', 1)).toBe('2026-02-28')
  })

  it('say what is usual, and when nothing can be said', () => {
    expect(rangeSaid(8.2, 11.9)).toBe('平均8.2例，不超过11例')
    expect(rangeSaid(null, null)).toBe('数据不够，没有比较')
  })

  it('leave out the county that all areas lie in', () => {
    expect(sharedCounty(['青岚县石桥镇', '青岚县柳溪镇'])).toBe('青岚县')
    expect(sharedCounty(['青岚县石桥镇', '云川市城东区'])).toBe('')
    expect(sharedCounty(['青岚县石桥镇'])).toBe('')
    expect(sharedCounty(['青岚县', '青岚县柳溪镇'])).toBe('')
  })

  it('say which symptoms make a case', () => {
    expect(symptomsSaid([[['腹泻']], [['呕吐'], ['腹痛', '发烧']]])).toBe('腹泻；或者 呕吐 加 （腹痛、发烧之一）')
  })
})
