import type { Place } from './route'

export interface Span {
  since: string
  until: string
  region: string
  institution_id: string
  department_code: string
}

const DAY_MS = 86_400_000
const SHANGHAI_OFFSET_MS = 8 * 3_600_000

/** The day in China at a moment, as the API takes it. */
export function dayOf(at: number): string {
  return new Date(at + SHANGHAI_OFFSET_MS).toISOString().slice(0, 10)
}

/** The last so many days until the one of `now`. */
export function lastDays(count: number, now: number): { since: string; until: string } {
  return { since: dayOf(now - (count - 1) * DAY_MS), until: dayOf(now) }
}

export function thisYear(now: number): { since: string; until: string } {
  return { since: `${dayOf(now).slice(0, 4)}-01-01`, until: dayOf(now) }
}

/** The last so many months until the one of `now`, the latest first: 2026-11. */
export function lastMonths(count: number, now: number): string[] {
  const [year = 0, month = 0] = dayOf(now).split('-').map(Number)
  return Array.from({ length: count }, (_, back) => new Date(Date.UTC(year, month - 1 - back, 1)).toISOString().slice(0, 7))
}

export function isCase(place: Place): boolean {
  return place.name === 'cases' && /^[0-9a-f]{32}$/.test(place.id)
}
