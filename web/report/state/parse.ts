import { toMillis } from '../../shared/chinatime'
import { isRaw, number, objects, type Raw, text } from '../../shared/raw'
import type { Critical, Desk, Report, Slip, State, Study, Teaching, Template } from './types'

/** The boundary: turns what the server answered into our own types. */
const STATES: State[] = ['draft', 'signed', 'superseded']
const SEXES: Record<string, string> = { male: '男', female: '女' }

export function parseReport(value: unknown): Report {
  const raw = isRaw(value) ? value : {}
  return {
    id: text(raw.id),
    number: text(raw.number),
    version: number(raw.version),
    state: STATES.find((state) => state === raw.state) ?? 'draft',
    revision: number(raw.revision),
    studyUid: text(raw.study_uid),
    examination: text(raw.examination),
    findings: text(raw.findings),
    impression: text(raw.impression),
    reason: text(raw.amendment_reason),
    author: text(raw.author_name),
    institution: text(raw.institution_name),
    updatedAt: toMillis(raw.updated_at) ?? 0,
    signedAt: toMillis(raw.signed_at),
  }
}

function parseTemplate(raw: Raw): Template {
  const { code, name, examination, findings, impression } = raw
  return { code: text(code), name: text(name), examination: text(examination), findings: text(findings), impression: text(impression) }
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(text) : []
}

/** 20261121 → 2026年11月21日. */
function dayOf(written: string): string {
  const found = /^(\d{4})(\d{2})(\d{2})$/.exec(written)
  return found ? `${found[1]}年${Number(found[2])}月${Number(found[3])}日` : ''
}

function parseStudy(raw: Raw): Study {
  return {
    uid: text(raw.study_uid),
    description: text(raw.description),
    modalities: strings(raw.modalities),
    takenOn: dayOf(text(raw.taken_on)),
    instances: number(raw.instances),
    templates: objects(raw.templates).map(parseTemplate),
    criticalFindings: strings(raw.critical_findings),
  }
}

export function parseCritical(value: unknown): Critical {
  const raw = isRaw(value) ? value : {}
  return {
    id: text(raw.id),
    studyUid: text(raw.study_uid),
    text: text(raw.text),
    markedAt: toMillis(raw.marked_at) ?? 0,
    confirmedBy: text(raw.confirmed_by),
    confirmedAt: toMillis(raw.confirmed_at),
  }
}

export function parseSlips(value: unknown): Slip[] {
  return objects(isRaw(value) ? value.items : null).map((raw) => ({ code: text(raw.code), sentence: text(raw.sentence) }))
}

export function parseDesk(value: unknown): Desk {
  const raw = isRaw(value) ? value : {}
  return {
    number: text(raw.number),
    patient: text(raw.patient_name),
    sex: SEXES[text(raw.patient_sex)] ?? '',
    doctor: text(raw.doctor_name),
    isPatient: raw.is_patient === true,
    mayWrite: raw.may_write === true,
    mayConfirm: raw.may_confirm === true,
    studies: objects(raw.studies).map(parseStudy),
    reports: objects(raw.reports).map(parseReport),
    criticals: objects(raw.critical_values).map(parseCritical),
  }
}

export function parseTeaching(value: unknown): Teaching {
  const raw = isRaw(value) ? value : {}
  return { mayPropose: raw.may_propose === true, sentence: text(raw.sentence) }
}

/** An address on our own server; nothing where it is another. */
export function parseAddress(value: unknown): string {
  const address = text(isRaw(value) ? value.address : null)
  return /^\/(?!\/)/.test(address) ? address : ''
}
