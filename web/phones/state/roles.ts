/** Which kind of person holds a phone, for the picture and the order of the phones. */
export type Role = 'patient' | 'doctor' | 'expert' | 'other'

/** What is known of a person: the sandbox's hint, the openid (`demo-exp-01`), the name with its title. */
export interface Person {
  openid: string
  nickname: string
  roleHint: string
}

const HINTS: [Role, RegExp][] = [
  ['expert', /\bexp(ert)?\b|专家|主任|教授/iu],
  ['doctor', /\bdoc(tor)?\b|grassroots|村医|基层|医生|医师|大夫/iu],
  ['patient', /\bpatient\b|患者|病人/iu],
]
const LABELS: Record<Role, string> = { patient: '患者', doctor: '村医', expert: '专家', other: '' }
export const ROLE_ORDER: Role[] = ['patient', 'doctor', 'expert', 'other']

function roleIn(words: string): Role | undefined {
  return HINTS.find(([, pattern]) => pattern.test(words))?.[0]
}

export function roleOf(person: Person): Role {
  return roleIn(person.roleHint) ?? roleIn(person.openid) ?? roleIn(person.nickname) ?? 'other'
}

/** The words under a phone: the sandbox's own hint when it is Chinese, else the role's name. */
export function roleLabel(person: Person): string {
  return /\p{Script=Han}/u.test(person.roleHint) ? person.roleHint : LABELS[roleOf(person)]
}
