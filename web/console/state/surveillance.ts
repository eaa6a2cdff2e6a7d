/** What the surveillance's API answers (miniprogram_api/console/surveillance.py), and how it is said. */
import { dateText } from '../../shared/chinatime'

export interface Count {
  low: number
  high: number
  text: string
}

export interface Syndrome {
  code: string
  name: string
  definition: string
  rules: string[][][]
  icd10: string[]
  least: number
  source: string
}

export interface Area {
  key: string
  name: string
  latitude: number | null
  longitude: number | null
  count: Count | null
  alarms: number
}

export interface DayCount {
  day: string
  count: Count | null
  usual: number | null
  bound: number | null
  alarmed: boolean
}

export interface Alarm {
  id: string
  day: string
  syndrome: string
  syndrome_name: string
  area: string
  area_name: string
  count: Count
  bound: number | null
  methods: string[]
  raised_at: string
  acknowledged_at: string | null
  acknowledged_name: string
  note: string
}

export interface Counts {
  since: string
  until: string
  syndrome: string
  area: string
  areas: Area[]
  days: DayCount[]
}

export interface Definitions {
  last_day: string
  items: Syndrome[]
}

export function countSaid(count: Count | null): string {
  if (!count) return '没有数据'
  if (count.low === count.high) return `${count.low}例`
  return count.text.startsWith('<') ? `少于${count.text.slice(1)}例` : `${count.low}到${count.high}例`
}

/** Where a count is drawn: the middle of what it may be. */
export function middle(count: Count): number {
  return (count.low + count.high) / 2
}

/** 11月21日 星期六 */
export function daySaid(day: string): string {
  return dateText(Date.parse(`${day}T00:00:00+08:00`))
}

/** What the names of several areas begin with alike, up to their county: "青岚县"; '' where they lie in several. */
export function sharedCounty(names: string[]): string {
  const county = /^.{2,}?[县市区](?=.)/.exec(names[0] ?? '')?.[0] ?? ''
  return county && names.length > 1 && names.every((name) => name.startsWith(county) && name.length > county.length) ? county : ''
}

export function rangeSaid(usual: number | null, bound: number | null): string {
  return usual === null || bound === null ? '数据不够，没有比较' : `平均${usual}例，不超过${Math.floor(bound)}例`
}

const MS_OF_DAY = 86_400_000

/** The day so many days before another. */
export function daysBefore(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - count * MS_OF_DAY).toISOString().slice(0, 10)
}

export function symptomsSaid(rules: string[][][]): string {
  return rules.map((groups) => groups.map((names) => (names.length > 1 ? `（${names.join('、')}之一）` : names[0])).join(' 加 ')).join('；或者 ')
}
