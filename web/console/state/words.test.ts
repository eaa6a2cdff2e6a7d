import { expect, test } from 'vitest'
import { age, browserSaid, isLate, minutes, share } from './words'

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
  expect(minutes(0.01)).toBe('不到 0.1 分钟')
  expect(minutes(0)).toBe('0.0 分钟')
})

test('a browser is called as people call it', () => {
  const chrome = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36'
  expect(browserSaid(chrome)).toBe('Chrome（Windows）')
  expect(browserSaid(`${chrome} Edg/126.0`)).toBe('Edge（Windows）')
  expect(browserSaid('Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) MicroMessenger/8.0')).toBe('微信（iOS）')
  expect(browserSaid('curl/8.5')).toBe('curl/8.5')
  expect(browserSaid('')).toBe('没有说')
})

test('fifteen minutes are still in time', () => {
  expect(isLate('2026-11-22T11:45:00Z', '2026-11-22T12:00:00Z')).toBe(false)
  expect(isLate('2026-11-22T11:44:59Z', '2026-11-22T12:00:00Z')).toBe(true)
  expect(isLate(null, '2026-11-22T12:00:00Z')).toBe(false)
})
