import { expect, it } from 'vitest'
import { aheadText } from '../state/clock'
import type { Message } from '../state/types'
import { withStamps } from './grouping'

it('prints the time above the first message and after each pause of five minutes', () => {
  const minutes = [0, 1, 5.9, 10.9, 11]
  const messages = minutes.map((minute, seq) => ({ seq, at: minute * 60_000 }) as Message)
  expect(withStamps(messages).map((row) => row.stamped)).toEqual([true, false, false, true, false])
})

it('says in words how far the clock was moved', () => {
  expect(aheadText(0)).toBe('')
  expect(aheadText(600_000)).toBe('快了 10 分钟')
  expect(aheadText(86_400_000 + 3_660_000)).toBe('快了 1 天 1 小时 1 分钟')
  expect(aheadText(-3_600_000)).toBe('慢了 1 小时')
})
