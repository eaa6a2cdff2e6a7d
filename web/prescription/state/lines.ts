import type { DraftLine, Preparation } from './types'

const FOURTH = 10_000
const AMOUNT = /^\d{1,6}(\.\d{1,4})?$/
const MOST_DAYS = 90

let keys = 0
export const newKey = () => ++keys

/** 0.30000000000000004 → 0.3: what is handed out is measured in no more than four places. */
function plain(value: number): string {
  return String(Math.round(value * FOURTH) / FOURTH)
}

/** Whether a preparation is counted in something else than its strength is given in. */
export function hasPieces({ unit, piece }: Preparation): boolean {
  return unit !== piece
}

/** How much for one time in the preparation's unit; '' while what is typed is no amount. */
export function doseOf({ amount, inPieces, preparation }: DraftLine): string {
  const typed = amount.trim()
  if (!AMOUNT.test(typed) || Number(typed) === 0) return ''
  return inPieces ? plain(Number(typed) * preparation.strength) : typed
}

/** The same dose counted the other way. */
export function recounted(line: DraftLine, inPieces: boolean): string {
  const dose = doseOf(line)
  if (!dose) return line.amount
  return inPieces ? plain(Number(dose) / line.preparation.strength) : plain(Number(dose))
}

/** How many days; 0 while what is typed is no such number. */
export function daysOf({ days }: DraftLine): number {
  const typed = days.trim()
  const number = /^\d{1,2}$/.test(typed) ? Number(typed) : 0
  return number <= MOST_DAYS ? number : 0
}

/** What is missing of a line, in words; '' where nothing is. */
export function missingOf(line: DraftLine): string {
  if (!doseOf(line)) return `${line.preparation.name}：一次用多少，要写数字。`
  return daysOf(line) ? '' : `${line.preparation.name}：天数要写1到${MOST_DAYS}。`
}

export function isSameLine(one: DraftLine, other: DraftLine): boolean {
  return (
    one.preparation.code === other.preparation.code &&
    Number(doseOf(one)) === Number(doseOf(other)) &&
    Boolean(doseOf(one)) === Boolean(doseOf(other)) &&
    daysOf(one) === daysOf(other) &&
    one.frequency === other.frequency &&
    one.route === other.route &&
    one.note.trim() === other.note.trim()
  )
}
