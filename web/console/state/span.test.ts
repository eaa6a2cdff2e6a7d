import { expect, test } from 'vitest'
import { dayOf, lastDays, thisYear } from './span'

const LATE = Date.parse('2026-11-21T17:30:00Z') // half past one in the morning of the next day in China

test('days are those of China', () => {
  expect(dayOf(LATE)).toBe('2026-11-22')
  expect(lastDays(30, LATE)).toEqual({ since: '2026-10-24', until: '2026-11-22' })
  expect(thisYear(LATE)).toEqual({ since: '2026-01-01', until: '2026-11-22' })
})
