/** What the report page knows; times in epoch milliseconds. */
export interface Texts {
  examination: string
  findings: string
  impression: string
}

export type State = 'draft' | 'signed' | 'superseded'

/** One version of a report. */
export interface Report extends Texts {
  id: string
  number: string
  version: number
  state: State
  revision: number
  studyUid: string
  reason: string
  author: string
  institution: string
  updatedAt: number
  signedAt: number | null
}

export interface Template extends Texts {
  code: string
  name: string
}

export interface Study {
  uid: string
  description: string
  modalities: string[]
  /** 2026年11月21日, or nothing. */
  takenOn: string
  instances: number
  templates: Template[]
  criticalFindings: string[]
}

export interface Critical {
  id: string
  studyUid: string
  text: string
  markedAt: number
  confirmedBy: string
  confirmedAt: number | null
}

export interface Slip {
  code: string
  sentence: string
}

/** Whether the reader may recommend the consultation for the case library, and what is to be said of where it stands. */
export interface Teaching {
  mayPropose: boolean
  sentence: string
}

/** Everything on the page, as far as the reader may see it. */
export interface Desk {
  number: string
  patient: string
  sex: string
  doctor: string
  isPatient: boolean
  mayWrite: boolean
  mayConfirm: boolean
  studies: Study[]
  reports: Report[]
  criticals: Critical[]
}
