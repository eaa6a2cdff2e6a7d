import { ref } from 'vue'
import type { Role } from './types'

export interface Place {
  name: string
  id: string
}

type Page = { name: string; title: string; roles: Role[] }

/** The pages and who has them: the same as backend/security/policy.py says, which decides. */
export const GROUPS: { title: string; pages: Page[] }[] = [
  {
    title: '看情况',
    pages: [
      { name: 'dashboard', title: '总览', roles: ['administrator', 'institution_admin', 'auditor'] },
      { name: 'knowledge', title: '知识库', roles: ['administrator', 'institution_admin', 'auditor'] },
      { name: 'surveillance', title: '疾病监测', roles: ['administrator', 'institution_admin', 'auditor'] },
    ],
  },
  {
    title: '办事情',
    pages: [
      { name: 'cases', title: '会诊', roles: ['administrator', 'institution_admin'] },
      { name: 'people', title: '人员机构', roles: ['administrator', 'institution_admin'] },
      { name: 'schedules', title: '排班', roles: ['administrator', 'institution_admin'] },
      { name: 'money', title: '费用结算', roles: ['administrator', 'institution_admin', 'auditor'] },
      { name: 'imaging', title: '影像传输', roles: ['administrator', 'institution_admin', 'auditor'] },
      { name: 'prescriptions', title: '处方', roles: ['administrator', 'institution_admin', 'auditor'] },
      { name: 'teaching', title: '病例库', roles: ['administrator'] },
    ],
  },
  {
    title: '管系统',
    pages: [
      { name: 'deliveries', title: '消息发送', roles: ['administrator'] },
      { name: 'weights', title: '匹配权重', roles: ['administrator'] },
      { name: 'wechat', title: '微信菜单与模板', roles: ['administrator'] },
      { name: 'health', title: '运行状况', roles: ['administrator', 'auditor'] },
      { name: 'audit', title: '审计记录', roles: ['administrator', 'auditor'] },
      { name: 'exports', title: '研究数据', roles: ['administrator', 'auditor'] },
      { name: 'accounts', title: '账号', roles: ['administrator'] },
      { name: 'sessions', title: '我的登录', roles: ['administrator', 'institution_admin', 'auditor'] },
    ],
  },
]

/** The groups that have a page for this role, with those pages alone. */
export function groupsOf(role: Role): typeof GROUPS {
  const seen = GROUPS.map(({ title, pages }) => ({ title, pages: pages.filter((page) => page.roles.includes(role)) }))
  return seen.filter(({ pages }) => pages.length > 0)
}

export function placeOf(hash: string): Place {
  const [name = '', id = ''] = hash.replace(/^#\/?/, '').split('/')
  return { name: name || 'dashboard', id }
}

export const place = ref<Place>(placeOf(location.hash))
addEventListener('hashchange', () => (place.value = placeOf(location.hash)))

/** Where a page is; the document's base lies elsewhere, so that a bare `#/…` would lead away. */
export function hrefOf(name: string, id = ''): string {
  return `/console#/${name}${id ? `/${id}` : ''}`
}

/** What of a page is opened; empty where it is the page itself. */
export function openedAt(name: string): string {
  return place.value.name === name && /^[0-9a-f]{32}$/.test(place.value.id) ? place.value.id : ''
}
