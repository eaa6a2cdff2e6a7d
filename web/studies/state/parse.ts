import { isRaw, number, objects, type Raw, text } from '../../shared/raw'
import type { Case, Result, StudyPart, Trait, Waiting } from './types'

/** The boundary: turns what the server answered into our own types. */
function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(text).filter(Boolean) : []
}

function items(value: unknown): Raw[] {
  return objects(isRaw(value) ? value.items : null)
}

function part(raw: Raw): StudyPart {
  const state = raw.state === 'linked' || raw.state === 'rejected' ? raw.state : 'quarantined'
  return { id: text(raw.id), state, here: raw.here === true, words: text(raw.words), modalities: texts(raw.modalities), instances: number(raw.instances) }
}

export function parseResult(value: unknown): Result {
  const raw = isRaw(value) ? value : {}
  return {
    batch: text(raw.batch),
    receiving: number(raw.receiving),
    waiting: number(raw.waiting),
    stored: number(raw.stored),
    skipped: number(raw.skipped),
    refused: number(raw.refused),
    heldUp: text(raw.held_up),
    files: objects(raw.files).map((one) => ({ name: text(one.name), words: text(one.words) })),
    studies: objects(raw.studies).map(part),
  }
}

export function parseWaiting(value: unknown): Waiting[] {
  return items(value).map((raw) => ({
    id: text(raw.id),
    words: text(raw.words),
    patient: text(raw.patient),
    sex: text(raw.sex),
    birthDate: text(raw.birth_date),
    patientNumber: text(raw.patient_number),
    description: text(raw.description),
    modalities: texts(raw.modalities),
    studyDate: text(raw.study_date),
    instances: number(raw.instances),
  }))
}

export function parseCases(value: unknown): Case[] {
  return items(value).map((raw) => ({ id: text(raw.id), number: text(raw.number), patient: text(raw.patient) }))
}

export function parseTraits(value: unknown): Trait[] {
  return items(value).map((raw) => ({
    trait: text(raw.trait),
    sent: text(raw.sent),
    known: text(raw.known),
    result: raw.result === 'same' || raw.result === 'different' ? raw.result : 'unknown',
  }))
}
