/** What the prescription page knows; times in epoch milliseconds. */
export type State = 'draft' | 'signed' | 'valid' | 'partly_dispensed' | 'dispensed' | 'revoked' | 'expired'

/** One medicine, in words. */
export interface Medicine {
  name: string
  spec: string
  dose: string
  pieces: string
  frequency: string
  route: string
  days: number
  packs: string
  note: string
}

/** A prescription as it was signed. */
export interface Prescription {
  id: string
  number: string
  state: State
  stateLabel: string
  patient: string
  diagnoses: string[]
  medicines: Medicine[]
  prescriber: string
  institution: string
  issuedAt: number | null
  /** The moment from which on it cannot be used; null until it is approved. */
  validUntil: number | null
  returnReason: string
  revocationReason: string
  /** A picture of the code behind which its verification is, as a data address; empty until it is approved. */
  code: string
  isPatient: boolean
}

/** Something with a code and the name that people read. */
export interface Named {
  code: string
  name: string
}

/** What can be prescribed; doses are in `unit`, one `piece` holds `strength` of it. */
export interface Preparation extends Named {
  label: string
  unit: string
  piece: string
  strength: number
  routes: Named[]
}

/** A medicine while it is being written; what its writer types may be anything yet. */
export interface DraftLine {
  /** Tells it from the others on this page. */
  key: number
  preparation: Preparation
  /** How much for one time, as it was typed: in the preparation's unit, or in pieces. */
  amount: string
  inPieces: boolean
  frequency: string
  route: string
  days: string
  note: string
}

/** What can be edited of a draft. */
export interface Content {
  lines: DraftLine[]
  diagnoses: Named[]
  chronic: boolean
  /** A doctor sees the patient; null while nobody has said. */
  inPerson: boolean | null
}

export type Severity = 'stop' | 'warning' | 'note'

/** What a check found; `lines` are indices of the lines that were checked. */
export interface Finding {
  rule: string
  subject: string
  severity: Severity
  lines: number[]
  sentence: string
  advice: string
  source: string
  /** Why its writer prescribes all the same; empty while they have not said. */
  reason: string
}

/** A line in words: 阿莫西林胶囊, 250mg×24粒/盒, 500mg, 2粒, 每天三次, 口服, 2盒. */
export type Said = Omit<Medicine, 'days' | 'note'>

/** A draft as the server has it. */
export interface DraftPrescription extends Content {
  id: string
  consultation: string
  number: string
  revision: number
  updatedAt: number
  said: Said[]
  findings: Finding[]
  returnReason: string
}

export interface Template {
  id: string
  name: string
  medicines: number
  own: boolean
}

/** A line that fits the patient, and where its dose is from. */
export interface Proposal {
  line: DraftLine
  why: string
}
