/** What the console's API answers about money, images, prescriptions and knowledge. Amounts are yuan as text, "1234.50". */
export interface Counted {
  key: string
  name: string
  count: number
}

export interface Sum extends Counted {
  fee: string
}

export interface Balance {
  account: string
  name: string
  amount: string
}

export interface ChargeItem {
  id: string
  number: string
  state: string
  state_name: string
  reason_name: string
  attention_name: string
  institution_name: string
  patient_name: string
  expert_name: string
  fee: string
  insured: boolean
  made_at: string
  settled_at: string | null
}

export interface ChargeTotals {
  total: Sum
  waiting: number
  by_state: Sum[]
  by_day: Sum[]
  by_institution: Sum[]
  balances: Balance[]
}

export interface Split {
  total: string
  insurance: string
  account: string
  subsidy: string
  cash: string
  table: string
  lines: string[]
}

export interface Step {
  name: string
  state: string
  state_name: string
  amount: string
  code: string
  attempts: number
  made_at: string
  due_at: string | null
  silent_since: string | null
  stalled: boolean
  done_at: string | null
}

export interface Order {
  number: string
  state_name: string
  amount: string
  received: string
  transaction: string
  made_at: string
  paid_at: string | null
}

export interface Posting {
  id: number
  name: string
  at: string
  corrects: number | null
  lines: Balance[]
}

export type Decision = 'again' | 'bear' | 'waive' | 'reverse'

export interface Charge extends ChargeItem {
  consultation_id: string
  tariff: string
  why_not: string
  paid: string
  refunding: string
  refunded: string
  kept: string
  starts_at: string
  expires_at: string
  paid_at: string | null
  closed_at: string | null
  quote: Split | null
  settled: Split | null
  steps: Step[]
  orders: Order[]
  postings: Posting[]
  decisions: Decision[]
}

export interface Run {
  id: string
  day: string
  book_name: string
  began_at: string
  complete: boolean
  entries: number
  outcomes: Counted[]
  open: number
}

export interface Difference {
  id: number
  day: string
  book_name: string
  kind_name: string
  number: string
  here: string
  there: string
  outcome: string
  outcome_name: string
  rule_name: string
  at: string
  waits: boolean
  superseded: boolean
  note: string
  noted_by: string
  noted_at: string | null
}

export interface Report {
  book_name: string
  entries: number
  differences: number
  for_a_person: number
  complete: boolean
}

export interface Statement {
  payee_id: string
  payee_name: string
  kind_name: string
  institution_name: string
  cases: number
  earned: string
  carried_in: string
  payable: string
  carried_out: string
}

export interface Statements {
  month: string
  months: string[]
  closed_at: string | null
  payable: string
  count: number
  items: Statement[]
  next_cursor: string
}

export interface StatementDetail extends Statement {
  month: string
  closed_at: string | null
  entries: { consultation_id: string; consultation_number: string; kind_name: string; amount: string; formula: string; lines: string[] }[]
}

export interface Sent {
  destination: string
  purpose_name: string
  total: number
  arrived: number
  dead: number
  retried: number
  failure: string | null
  failure_name: string
}

export interface Study {
  id: string
  state: string
  state_name: string
  reason_name: string
  institution_name: string
  patient_name: string
  consultation_id: string | null
  modalities: string[]
  images: number
  bytes: number
  created_at: string
  last_at: string | null
  sent: Sent[]
}

export interface Route {
  id: string
  label: string
  institution_name: string
  purpose_name: string
  active: boolean
  waiting: number
  arrived: number
  dead: number
  retried: number
  oldest_at: string | null
  failures: number
  resume_at: string | null
  errors: Counted[]
}

export interface Routes {
  now: string
  routes: Route[]
  refusals: { institution_name: string; reason: string; reason_name: string; instances: number; times: number; last_at: string }[]
}

export interface PrescriptionItem {
  id: string
  number: string
  state: string
  state_name: string
  institution_name: string
  patient_name: string
  prescriber_name: string
  overridden: number
  returns: number
  created_at: string
  signed_at: string | null
  approved_at: string | null
}

export interface PrescriptionTotals {
  total: number
  overridden: number
  warnings: number
  returned: number
  by_state: Counted[]
  by_day: Counted[]
  by_institution: Counted[]
}

export interface MedicineOrder {
  id: string
  number: string
  prescription_id: string
  pharmacy_name: string
  patient_name: string
  method_name: string
  state_name: string
  placed_at: string
  since: string
  stuck: boolean
}

export interface Prescription {
  id: string
  number: string
  state_name: string
  consultation_id: string
  institution_name: string
  patient_name: string
  prescriber_name: string
  reviewer_name: string
  chronic: boolean
  valid_until: string | null
  moments: { at: string; by: string; text: string }[]
  orders: MedicineOrder[]
}

export interface Entry {
  key: string
  name: string
  code: string
  aliases: string[]
  statements: { title: string; text: string; source: string; reviewed: string }[]
}

export interface Entries {
  items: Entry[]
  total: number
  next_at: number | null
}
