/** Reading values that came from outside, for the modules named parse.ts: nothing here trusts a shape, nothing throws. */
export type Raw = Record<string, unknown>

export function isRaw(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function text(value: unknown): string {
  if (typeof value === 'string') return value
  return typeof value === 'number' ? String(value) : ''
}

export function number(value: unknown): number {
  const parsed = Number(value)
  return Number.isFinite(parsed) ? parsed : 0
}

export function objects(value: unknown): Raw[] {
  return Array.isArray(value) ? value.filter(isRaw) : []
}
