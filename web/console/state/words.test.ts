import { expect, test } from 'vitest'
import { age, isLate, minutes, share } from './words'

test('ages are said as people say them', () => {
  const now = '2026-11-22T12:00:00Z'
  expect(age('2026-11-22T11:57:10Z', now)).toBe('2分钟')
  expect(age('2026-11-22T09:55:00Z', now)).toBe('2小时5分')
  expect(age('2026-11-20T09:00:00Z', now)).toBe('2天3小时')
  expect(age('2026-11-22T12:00:30Z', now)).toBe('0分钟')
})

test('what nothing stands behind is no number', () => {
  expect(share(null)).toBe('暂无')
  expect(share(0.9543)).toBe('95.4%')
  expect(minutes(null)).toBe('暂无')
  expect(minutes(4.25)).toBe('4.3 分钟')
})

test('fifteen minutes are still in time', () => {
  expect(isLate('2026-11-22T11:45:00Z', '2026-11-22T12:00:00Z')).toBe(false)
  expect(isLate('2026-11-22T11:44:59Z', '2026-11-22T12:00:00Z')).toBe(true)
  expect(isLate(null, '2026-11-22T12:00:00Z')).toBe(false)
})
