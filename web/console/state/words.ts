import { momentText } from '../../shared/chinatime'

/** 2026年11月21日 09:41 */
export function moment(value: string | null): string {
  const at = Date.parse(value ?? '')
  return Number.isNaN(at) ? '—' : momentText(at)
}

export function share(value: number | null): string {
  return value === null ? '暂无' : `${(value * 100).toFixed(1)}%`
}

export function minutes(value: number | null): string {
  return value === null ? '暂无' : `${value.toFixed(1)} 分钟`
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

/** What each number means, and what it is held against (docs/console.md). */
export const DEFINITIONS: Record<string, { title: string; text: string; target: string }> = {
  asked: {
    title: '会诊数',
    text: '医生提交了会诊申请的病例数，按提交申请那天（北京时间）计算，不管后来是完成还是取消。只建了草稿、没有提交的不算。',
    target: '目标：一年超过 100 000 例',
  },
  answer: {
    title: '应答时间',
    text: '从医生提交申请，到现在负责的专家接下会诊，所用的时间。专家退回后换人的，算到新的专家接下为止。还没有人接的不算在内。“90%应答”是指十例里有九例在这个时间以内，由分段计数推算，精确到所在的时间段。',
    target: '目标：平均少于 15 分钟',
  },
  agreement: {
    title: '诊断符合率',
    text: '已完成的会诊里，基层医生提交时填了怀疑的疾病编码、专家也填了诊断编码的，两者属于同一类疾病（ICD-10 前三位相同）的比例。没有填编码的不参加比较，括号里是参加比较的病例数。',
    target: '目标：超过 95%',
  },
  satisfaction: {
    title: '满意率',
    text: '患者评价过的会诊里，给四颗星或五颗星的比例。没有评价的不算，括号里是评价数。',
    target: '目标：超过 90%',
  },
}

const REASONS: Record<string, string> = {
  expired: '过了时间，不用再发',
  unreachable: '对方已取消关注',
  unknown_person: '找不到收件人',
}

export function reasonSaid(code: string): string {
  return REASONS[code] ?? `错误代码 ${code}`
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
