/** What the page shows. Days are words already, moments are epoch milliseconds. */
export interface Known {
  text: string
  detail: string
  when: string
  hospitals: string[]
  severe: boolean
}

export type Mark = '' | 'A' | 'L' | 'H' | 'LL' | 'HH'
export type Trend = 'up' | 'down' | 'same' | 'unknown'

export interface Point {
  at: number
  value: number
}

export interface Measured {
  name: string
  value: string
  unit: string
  reference: string
  mark: Mark
  trend: Trend
  when: string
  previous: string
  previousWhen: string
  points: Point[]
  hospital: string
}

export type Outcome = 'waiting' | 'fetched' | 'absent' | 'unmatched' | 'unreachable'

export interface Hospital {
  name: string
  outcome: Outcome
  asking: boolean
  sentence: string
}

export interface Told {
  title: string
  text: string
}

export interface History {
  number: string
  name: string
  sex: string
  age: number | null
  identified: boolean
  mayIdentify: boolean
  asking: boolean
  allergies: Known[]
  noneKnown: string
  conditions: Known[]
  pastConditions: Known[]
  medicines: Known[]
  vitals: Measured[]
  laboratory: Measured[]
  encounters: Known[]
  reports: Known[]
  studies: Known[]
  told: Told[]
  hospitals: Hospital[]
  more: { vitals: number; laboratory: number; encounters: number; reports: number; studies: number }
  madeAt: number
}
