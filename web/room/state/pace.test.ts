import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createPace } from './pace'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function paced() {
  const sent: string[] = []
  return { sent, pace: createPace((text) => sent.push(text), 50, 2000) }
}

it('the first is sent at once', () => {
  const { sent, pace } = paced()
  pace.put('a')
  vi.advanceTimersByTime(0)
  expect(sent).toEqual(['a'])
})

it('of what comes faster than it may be sent, the last is', () => {
  const { sent, pace } = paced()
  for (let at = 0; at < 100; at += 1) {
    pace.put(String(at))
    vi.advanceTimersByTime(10)
  }
  vi.advanceTimersByTime(50)
  expect(sent.length).toBeGreaterThan(15)
  expect(sent.length).toBeLessThanOrEqual(21)
  expect(sent.at(-1)).toBe('99')
})

it('it is said again while nothing changes, until it is stopped', () => {
  const { sent, pace } = paced()
  pace.put('a')
  vi.advanceTimersByTime(4100)
  expect(sent).toEqual(['a', 'a', 'a'])
  pace.stop()
  vi.advanceTimersByTime(10_000)
  expect(sent.length).toBe(3)
})
