import { momentText } from '../../shared/chinatime'

/** 2026年11月21日 09:41 */
export function moment(value: string | null): string {
  const at = Date.parse(value ?? '')
  return Number.isNaN(at) ? '—' : momentText(at)
}

/** 2026-11 → 2026年11月 */
export function monthSaid(month: string): string {
  const [year, number] = month.split('-').map(Number)
  return `${year}年${number}月`
}

export function share(value: number | null): string {
  return value === null ? '暂无' : `${(value * 100).toFixed(1)}%`
}

export function minutes(value: number | null): string {
  if (value === null) return '暂无'
  return value > 0 && value < 0.05 ? '不到 0.1 分钟' : `${value.toFixed(1)} 分钟`
}

/** 12345.6 → 12,345.6 公里 */
export function kilometres(value: number): string {
  return `${value.toLocaleString('zh-CN', { maximumFractionDigits: 1 })} 公里`
}

export function yuan(value: string): string {
  return `${Number(value).toLocaleString('zh-CN', { maximumFractionDigits: 2 })} 元`
}

/** How long ago, in words: "3分钟", "2小时5分". */
export function age(since: string, now: string): string {
  const passed = Math.max(0, Math.floor((Date.parse(now) - Date.parse(since)) / 60_000))
  if (passed < 60) return `${passed}分钟`
  if (passed < 1440) return `${Math.floor(passed / 60)}小时${passed % 60}分`
  return `${Math.floor(passed / 1440)}天${Math.floor((passed % 1440) / 60)}小时`
}

export function isLate(since: string | null, now: string): boolean {
  return since !== null && Date.parse(now) - Date.parse(since) > 15 * 60_000
}

/** What stands behind a number, as its list is called. */
export const BEHIND: Record<string, string> = {
  asked: '全部会诊',
  completed: '已完成的会诊',
  answered: '专家已接的会诊，等得最久的在前',
  unanswered: '还没有专家接的会诊',
  late: '应答超过15分钟的会诊，等得最久的在前',
  compared: '参加诊断比较的会诊',
  disagreed: '诊断不符合的会诊',
  rated: '患者评价过的会诊',
  dissatisfied: '三星及以下的会诊',
  reckoned: '算出了节省的会诊',
  unreckoned: '已完成、但算不出节省的会诊',
}

const BROWSERS: [RegExp, string][] = [
  [/MicroMessenger/, '微信'],
  [/Edg\//, 'Edge'],
  [/Firefox\//, 'Firefox'],
  [/Chrome\//, 'Chrome'],
  [/Safari\//, 'Safari'],
]
const SYSTEMS: [RegExp, string][] = [
  [/HarmonyOS|OpenHarmony/, '鸿蒙'],
  [/Android/, '安卓'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
]

/** What a browser says of itself, as people call it: Chrome（Windows）; its own words where it is none of these. */
export function browserSaid(words: string): string {
  const browser = BROWSERS.find(([sign]) => sign.test(words))?.[1]
  const system = SYSTEMS.find(([sign]) => sign.test(words))?.[1]
  if (!browser) return words || '没有说'
  return system ? `${browser}（${system}）` : browser
}

const REASONS: Record<string, string> = {
  expired: '过了时间，不用再发',
  unreachable: '对方已取消关注',
  unknown_person: '找不到收件人',
}

export function reasonSaid(code: string): string {
  return REASONS[code] ?? `错误代码 ${code}`
}

const LEVELS: Record<string, Record<string, string>> = {
  age: { band: '年龄：5岁一段', decade: '年龄：10岁一段', generation: '年龄：20岁一段' },
  sex: { sex: '性别：男、女', all: '性别：不分' },
  region: { town: '地区：到乡镇', county: '地区：到县', all: '地区：不分' },
  diagnosis: { category: '诊断：到病种（ICD-10前三位）', block: '诊断：到疾病组', chapter: '诊断：到系统' },
  month: { month: '时间：到月', quarter: '时间：到季度', year: '时间：到年' },
}

/** How coarse a column of a table for research is. */
export function levelSaid(column: string, level: string): string {
  return LEVELS[column]?.[level] ?? `${column}：${level}`
}

const PARTS: Record<string, string> = {
  delivery: '消息发送',
  events: '事件处理',
  timers: '定时任务',
  audit: '审计封存',
  files: '文件清理',
  charging: '收费结算',
  reconciliation: '对账',
  'imaging objects': '影像清理',
  'imaging uploads': '影像接收',
  'imaging forwarding': '影像转发',
  'imaging retention': '影像保留期',
  'imaging compression': '影像压缩',
  'report documents': '报告打印',
  'laboratory slips': '化验单识别',
  prescriptions: '处方打印',
  surveillance: '疾病监测',
  exports: '研究数据',
  'hospital histories': '医院病历读取',
  'hospital write-back': '医院病历写回',
  menus: '公众号菜单',
  'union ids': '微信身份',
  clock: '时钟跟随',
  turns: '对话处理',
  media: '视频会诊',
}

export function partSaid(name: string): string {
  return PARTS[name] ?? name
}
