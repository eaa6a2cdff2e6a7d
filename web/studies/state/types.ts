/** A file that somebody has chosen; `path` is shown and orders the files, and leads nowhere. */
export interface Chosen {
  path: string
  file: File
}

/** What is sent in one go: a file, or small files packed together. */
export interface Unit {
  packed: boolean
  name: string
  files: Chosen[]
  /** Bytes on the way. */
  size: number
}

/** A file that was not taken, and why in words. */
export interface Refused {
  name: string
  words: string
}

export interface StudyPart {
  id: string
  state: 'linked' | 'quarantined' | 'rejected'
  /** Whether it belongs to this consultation. */
  here: boolean
  words: string
  modalities: string[]
  instances: number
}

/** What became of all that was chosen together. */
export interface Result {
  batch: string
  receiving: number
  waiting: number
  stored: number
  skipped: number
  refused: number
  heldUp: string
  files: Refused[]
  studies: StudyPart[]
}

/** A study that waits for a person; dates are YYYYMMDD. */
export interface Waiting {
  id: string
  words: string
  patient: string
  sex: string
  birthDate: string
  patientNumber: string
  description: string
  modalities: string[]
  studyDate: string
  instances: number
}

export interface Case {
  id: string
  number: string
  patient: string
}

export interface Trait {
  trait: string
  sent: string
  known: string
  result: 'same' | 'different' | 'unknown'
}
