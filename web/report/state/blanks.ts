/** Places of a template that are not filled in; the server refuses to sign one (backend/reporting/rules.py). */
const BLANK = /[_＿]{2,}/g

export interface Place {
  start: number
  end: number
}

export function blanksIn(written: string): Place[] {
  return [...written.matchAll(BLANK)].map((found) => ({ start: found.index, end: found.index + found[0].length }))
}
