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
