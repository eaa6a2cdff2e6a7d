/** Times as people in China read them. All functions take epoch milliseconds. */
const ZONE = 'Asia/Shanghai'
const WEEKDAYS = ['星期日', '星期一', '星期二', '星期三', '星期四', '星期五', '星期六']
const SHANGHAI_OFFSET_MS = 8 * 3_600_000 // no daylight saving since 1991
const DAY_MS = 86_400_000

const clockFormat = new Intl.DateTimeFormat('zh-CN', { timeZone: ZONE, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const fullFormat = new Intl.DateTimeFormat('zh-CN', {
  timeZone: ZONE, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
  hourCycle: 'h23',
})

function dayNumber(at: number): number {
  return Math.floor((at + SHANGHAI_OFFSET_MS) / DAY_MS)
}

function calendar(at: number): { year: number; month: number; day: number; weekday: string } {
  const local = new Date(at + SHANGHAI_OFFSET_MS)
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    weekday: WEEKDAYS[local.getUTCDay()] ?? '',
  }
}

/** 09:41 */
export function clockText(at: number): string {
  return clockFormat.format(at)
}

/** 2026/11/21 09:41:07 */
export function fullText(at: number): string {
  return fullFormat.format(at)
}

/** 11月21日 星期六 */
export function dateText(at: number): string {
  const { month, day, weekday } = calendar(at)
  return `${month}月${day}日 ${weekday}`
}

/** 2026年11月21日 */
export function dayText(at: number): string {
  const { year, month, day } = calendar(at)
  return `${year}年${month}月${day}日`
}

/** 2026年11月21日 09:41 */
export function momentText(at: number): string {
  return `${dayText(at)} ${clockText(at)}`
}

/** The line between groups of bubbles: 09:41 / 昨天 09:41 / 星期三 09:41 / 11月3日 09:41 / 2025年11月3日 09:41. */
export function stampText(at: number, now: number): string {
  const days = dayNumber(now) - dayNumber(at)
  const { year, month, day, weekday } = calendar(at)
  if (days === 0) return clockText(at)
  if (days === 1) return `昨天 ${clockText(at)}`
  if (days > 1 && days < 7) return `${weekday} ${clockText(at)}`
  const yearPart = year === calendar(now).year ? '' : `${year}年`
  return `${yearPart}${month}月${day}日 ${clockText(at)}`
}

/** The short form of a chat list: 09:41 / 昨天 / 星期三 / 11/3 */
export function listText(at: number, now: number): string {
  const days = dayNumber(now) - dayNumber(at)
  const { month, day, weekday } = calendar(at)
  if (days === 0) return clockText(at)
  if (days === 1) return '昨天'
  return days > 1 && days < 7 ? weekday : `${month}/${day}`
}

/** Epoch milliseconds from an ISO date, epoch seconds or epoch milliseconds; null when it is none of them. */
export function toMillis(value: unknown): number | null {
  if (typeof value === 'number' && Number.isFinite(value)) return value < 1e11 ? value * 1000 : value
  if (typeof value !== 'string') return null
  const parsed = Date.parse(value)
  return Number.isNaN(parsed) ? null : parsed
}
