/** The weights of the matching as the page shows and changes them: whole percents by urgency and criterion. */
export type Percentages = Record<string, Record<string, number>>

export interface Named {
  code: string
  name: string
}

export interface WeightsVersion {
  version: number
  percentages: Percentages
  reason: string
  published_by: string
  published_at: string | null
}

export interface Weights {
  criteria: (Named & { meaning: string })[]
  urgencies: Named[]
  versions: WeightsVersion[]
}

export interface Means {
  distance_km: number | null
  wait_minutes: number | null
  running: number | null
}

export interface Trial {
  cases: number
  changed: number
  urgencies: (Named & { cases: number; changed: number })[]
  before: Means
  after: Means
  choices: { consultation_id: string; number: string; urgency_name: string; before: string; after: string }[]
}

export const WHOLE = 100

export function copyOf(percentages: Percentages): Percentages {
  return Object.fromEntries(Object.entries(percentages).map(([urgency, row]) => [urgency, { ...row }]))
}

export function sumOf(row: Record<string, number>): number {
  return Object.values(row).reduce((sum, one) => sum + one, 0)
}

/** Why a row can't be published; empty where it can. */
export function faultOf(row: Record<string, number>): string {
  const held = Object.values(row)
  if (held.some((one) => !Number.isInteger(one) || one < 0 || one > WHOLE)) return '每一项填0到100的整数'
  const sum = sumOf(row)
  if (sum === WHOLE) return ''
  return sum < WHOLE ? `还差${WHOLE - sum}` : `多了${sum - WHOLE}`
}

export function same(a: Percentages, b: Percentages): boolean {
  return Object.entries(a).every(([urgency, row]) => Object.entries(row).every(([criterion, one]) => b[urgency]?.[criterion] === one))
}

export function roundly(value: number | null, unit: string): string {
  return value === null ? '暂无' : `${value.toFixed(1)} ${unit}`
}
