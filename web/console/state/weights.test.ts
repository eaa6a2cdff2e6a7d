import { expect, it } from 'vitest'
import { copyOf, faultOf, roundly, same } from './weights'

it('says what is missing to a hundred', () => {
  expect(faultOf({ a: 60, b: 40 })).toBe('')
  expect(faultOf({ a: 60, b: 30 })).toBe('还差10')
  expect(faultOf({ a: 60, b: 45 })).toBe('多了5')
  for (const wrong of [1.5, -1, 101, Number.NaN]) expect(faultOf({ a: wrong, b: 50 })).toContain('整数')
})

it('copies rows so that a draft changes nothing else', () => {
  const held = { routine: { a: 100 } }
  const draft = copyOf(held)
  expect(same(held, draft)).toBe(true)
  draft.routine!.a = 90
  expect([held.routine.a, same(held, draft)]).toEqual([100, false])
})

it('rounds what is known', () => {
  expect([roundly(12.345, '公里'), roundly(null, '公里')]).toEqual(['12.3 公里', '暂无'])
})
