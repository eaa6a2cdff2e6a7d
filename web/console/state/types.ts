/** What the console's API answers (miniprogram_api/console). */
export type Role = 'administrator' | 'institution_admin' | 'auditor'

export interface Session {
  session_id: string
  name: string
  role: Role
  role_name: string
  institution_id: string | null
  ends_at: string
  now: string
  csrf_token: string
}

export interface Figure {
  key: string
  name: string
  asked: number
  completed: number
  answered: number
  mean_minutes: number | null
  p90_minutes: number | null
  compared: number
  agreement: number | null
  rated: number
  satisfaction: number | null
  reckoned: number
  unreckoned: number
  distance_saved: number | null
  cost_saved: number | null
  km_instead: number
  km_gone: number
  yuan_instead: string
  yuan_spent: string
}

export interface Figures {
  since: string
  until: string
  total: Figure
  asked_in_year: number
  parameters: string[]
  by_day: Figure[]
  by_region: Figure[]
  by_institution: Figure[]
  by_department: Figure[]
}

export interface CaseItem {
  id: string
  number: string
  status: string
  status_name: string
  urgency: string
  urgency_name: string
  department_name: string
  institution_name: string
  patient_name: string
  doctor_name: string
  expert_name: string
  opened_at: string
  submitted_at: string | null
  assigned_at: string | null
  closed_at: string | null
}

/** A case with what it counts for; null where it does not count, or not yet. */
export interface CountedCase extends CaseItem {
  answer_minutes: number | null
  agreed: boolean | null
  stars: number | null
  km_instead: number | null
  km_gone: number | null
  yuan_instead: string | null
  yuan_spent: string | null
  parameters: string
}

export interface CasePage {
  items: CaseItem[]
  next_cursor: string
}

export interface AmendmentItem {
  id: string
  consultation_id: string | null
  number: string
  part_name: string
  patient_name: string
  answers: string
  institution_name: string
  asked_at: string
  overdue: boolean
}

export interface Queue {
  now: string
  counts: { status: string; status_name: string; count: number }[]
  late: number
  waiting: CaseItem[]
}

export interface CaseDetail extends CaseItem {
  expert_id: string | null
  started_at: string | null
  booked_for: string | null
  may_assign: boolean
  may_cancel: boolean
  timeline: { at: string; actor_name: string; kind: string; text: string }[]
}

export interface Expert {
  id: string
  name: string
  title: string
  department_name: string
  institution_name: string
  on_call: boolean
  fits: boolean
}

export interface Institution {
  id: string
  code: string
  name: string
  kind: string
  kind_name: string
  level_name: string
  region: string
  address: string
  place: [number, number] | null
  departments: string[]
}

/** How a figure is counted, what is aimed at, and what it is reckoned with. */
export interface Definition {
  key: string
  title: string
  text: string
  target: string
  notes: string[]
}

export interface Renewal {
  first_time: number
  otherwise: number
  done: number
  left: number
}

export interface Reference {
  institutions: Institution[]
  departments: { code: string; name: string }[]
  definitions: Definition[]
}

export interface RosterItem {
  id: string
  name: string
  role: string
  role_name: string
  institution_name: string
  department_name: string
  title: string
  licence_number: string
  licence_expires_on: string | null
  active: boolean
  joined: boolean
}

export interface ImportAnswer {
  rows: { line: number; name: string; is_new: boolean; faults: { column: string; sentence: string }[] }[]
  faulty: number
  written: boolean
}

export interface Invitation {
  name: string
  picture: string
  expires_at: string
}

export interface Deliveries {
  now: string
  waiting: number
  held: number
  oldest_due_at: string | null
  reasons: { reason: string; count: number }[]
  items: { id: string; person_name: string; reason: string; at: string }[]
}

export interface Health {
  now: string
  parts: { name: string; running: boolean }[]
  backlogs: { name: string; due: number; failing: number; oldest_due_at: string | null }[]
}

export interface AuditItem {
  id: number
  at: string
  actor_id: string
  actor_name: string
  actor_roles: string
  kind: string
  action: string
  deed: string
  patient_id: string | null
  subject: string
  reason: string
}

export interface ExportItem {
  id: string
  asked_by: string
  asked_at: string
  purpose: string
  since: string
  until: string
  with_months: boolean
  with_text: boolean
  k: number
  state: 'waiting' | 'made' | 'refused' | 'expired'
  state_name: string
  refusal: string
  manifest: {
    rows: number
    people: number
    suppressed_rows: number
    smallest_class: number
    classes: number
    levels: { column: string; level: string }[]
    sha256: string
  } | null
}

export interface ExportItems {
  least_k: number
  items: ExportItem[]
}

export interface Account {
  id: string
  name: string
  role: Role
  role_name: string
  institution_id: string | null
  active: boolean
  ready: boolean
  created_at: string
}

export interface AccountLink {
  account_id: string
  url: string
  expires_at: string
}

export interface OwnSession {
  id: string
  began_at: string
  seen_at: string
  address: string
  browser: string
  own: boolean
}
