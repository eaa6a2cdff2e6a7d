/** The times of an expert as the schedule page draws and changes them. Minutes count from midnight in China. */
export interface Stretch {
  start: string
  end: string
  slot_minutes: number
}

export interface WeekStretch extends Stretch {
  weekday: number
  on_holidays: boolean
}

export interface ScheduledExpert {
  id: string
  name: string
  title: string
  department_name: string
  institution_name: string
  on_call: boolean
}

export interface ScheduleDay {
  day: string
  working: boolean
  holiday: string
  makes_up: boolean
  announced: boolean
  own: boolean
  /** Hours of the week are left out, because it is a public holiday. */
  rests: boolean
  hours: Stretch[]
}

export interface BookingItem {
  id: string
  starts_at: string
  ends_at: string
  patient_name: string
  doctor_name: string
  consultation_id: string | null
  number: string
  kept: boolean
  may_move: boolean
}

export interface Absence {
  id: string
  starts_at: string
  ends_at: string
  reason: string
}

export interface Schedule {
  expert: ScheduledExpert
  version: number
  today: string
  days: ScheduleDay[]
  week: WeekStretch[]
  absences: Absence[]
  bookings: BookingItem[]
}

export interface ChangeAnswer {
  saved: boolean
  affected: BookingItem[]
}

/** A stretch as it is drawn: `day` is 0 for Monday; `holidays` where it holds on public holidays too, every week. */
export interface Block {
  key: number
  day: number
  from: number
  to: number
  slot: number
  holidays: boolean
}

export const WEEKDAYS = ['周一', '周二', '周三', '周四', '周五', '周六', '周日']
export const STEP = 30
export const LAST = 24 * 60 - STEP
const OFFSET_MS = 8 * 3_600_000
const DAY_MS = 86_400_000

let keys = 0
export function newKey(): number {
  keys += 1
  return keys
}

export function minutesOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number)
  return hours * 60 + minutes
}

export function clockOf(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
}

/** The minute of its day in China at which a moment lies. */
export function minuteOfMoment(moment: string): number {
  return Math.floor(((Date.parse(moment) + OFFSET_MS) % DAY_MS) / 60_000)
}

/** The day in China on which a moment lies. */
export function dayOfMoment(moment: string): string {
  return new Date(Date.parse(moment) + OFFSET_MS).toISOString().slice(0, 10)
}

export function daysLater(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)
}

function blockOf(day: number, one: Stretch, holidays = false): Block {
  return { key: newKey(), day, from: minutesOf(one.start), to: minutesOf(one.end), slot: one.slot_minutes, holidays }
}

export function blocksOfWeek(week: WeekStretch[]): Block[] {
  return week.map((one) => blockOf(one.weekday, one, one.on_holidays))
}

/** The hours that a day has by the week alone; on a public holiday those that were given for it. */
export function blocksByWeek(week: WeekStretch[], weekday: number, day: ScheduleDay): Block[] {
  return blocksOfWeek(week).filter((one) => one.day === weekday && (one.holidays || !isHoliday(day)))
}

export function blocksOfDays(days: ScheduleDay[]): Block[] {
  return days.flatMap((one, day) => one.hours.map((hours) => blockOf(day, hours)))
}

export function stretchOf(block: Block): Stretch {
  return { start: clockOf(block.from), end: clockOf(block.to), slot_minutes: block.slot }
}

/** What a block says of itself: to be read, and to be heard. */
export function saidOf(block: Block): string {
  return `${WEEKDAYS[block.day]} ${clockOf(block.from)} 到 ${clockOf(block.to)}，每次${block.slot}分钟${block.holidays ? '，节假日也出诊' : ''}`
}

export function onDay(blocks: Block[], day: number): Block[] {
  return blocks.filter((one) => one.day === day).toSorted((a, b) => a.from - b.from)
}

/** Why a block can't stand among the others; empty where it can. */
export function faultOf(blocks: Block[], block: Block): string {
  if (block.to - block.from < block.slot) return '结束时间太早，放不下一次会诊。'
  const other = blocks.find((one) => one.key !== block.key && one.day === block.day && one.from < block.to && block.from < one.to)
  return other ? `和 ${clockOf(other.from)}–${clockOf(other.to)} 重叠了。` : ''
}

export function moved(block: Block, days: number, minutes: number): Block {
  const length = block.to - block.from
  const from = Math.min(Math.max(block.from + minutes, 0), LAST - length)
  return { ...block, day: Math.min(Math.max(block.day + days, 0), 6), from, to: from + length }
}

export function lengthened(block: Block, minutes: number): Block {
  return { ...block, to: Math.min(Math.max(block.to + minutes, block.from + Math.max(STEP, block.slot)), LAST) }
}

function textOf(blocks: Block[], day: number): string {
  return onDay(blocks, day).map((one) => `${one.from}-${one.to}/${one.slot}${one.holidays ? '+' : ''}`).join(' ')
}

/** The days on which two versions of the same week differ. */
export function changedDays(before: Block[], after: Block[]): number[] {
  return WEEKDAYS.map((_, day) => day).filter((day) => textOf(before, day) !== textOf(after, day))
}

export interface Merged {
  blocks: Block[]
  /** Days that the other has changed and one has not: theirs are taken. */
  taken: number[]
  /** Days that both have changed differently: one's own stay, and somebody has to look. */
  disputed: number[]
}

/** Puts one's own changes on top of what another has saved meanwhile; nothing of either is lost without being said. */
export function merge(base: Block[], mine: Block[], theirs: Block[]): Merged {
  const own = changedDays(base, mine)
  const other = changedDays(base, theirs)
  const disputed = other.filter((day) => own.includes(day) && textOf(mine, day) !== textOf(theirs, day))
  const blocks = WEEKDAYS.flatMap((_, day) => onDay(own.includes(day) ? mine : theirs, day))
  return { blocks, taken: other.filter((day) => !own.includes(day)), disputed }
}

/** 11月23日 */
export function shortDay(day: string): string {
  const [, month = '', date = ''] = day.split('-')
  return `${Number(month)}月${Number(date)}日`
}

export function isHoliday(day: ScheduleDay): boolean {
  return !day.working && !!day.holiday
}

/** What an office would say of a day; empty for a plain one. */
export function dayNote(day: ScheduleDay): string {
  if (day.makes_up) return `${day.holiday}调休上班`
  if (isHoliday(day)) return day.rests ? `${day.holiday}放假，不出诊` : `${day.holiday}放假`
  return day.working ? '' : '周末'
}
