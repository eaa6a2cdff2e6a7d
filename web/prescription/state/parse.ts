import { toMillis } from '../../shared/chinatime'
import { isRaw, number, objects, type Raw, text } from '../../shared/raw'
import { newKey } from './lines'
import type { Content, DraftLine, DraftPrescription, Finding, Medicine, Named, Preparation, Prescription, Proposal, Said, Severity, State, Template } from './types'

/** The boundary: turns what the server answered into our own types. */
const STATES: State[] = ['draft', 'signed', 'valid', 'partly_dispensed', 'dispensed', 'revoked', 'expired']

function parseSaid(raw: Raw): Said {
  return {
    name: text(raw.name),
    spec: text(raw.spec),
    dose: text(raw.dose),
    pieces: text(raw.pieces),
    frequency: text(raw.frequency),
    route: text(raw.route),
    packs: `${number(raw.packs)}${text(raw.pack_unit)}`,
  }
}

function parseMedicine(raw: Raw): Medicine {
  return { ...parseSaid(raw), days: number(raw.days), note: text(raw.note) }
}

/** A picture that is in the address itself; nothing where it is anything else. */
function parsePicture(value: unknown): string {
  const address = text(value)
  return address.startsWith('data:image/svg+xml') ? address : ''
}

/** Null where nothing was signed yet: there is no prescription to show then. */
export function parsePrescription(value: unknown): Prescription | null {
  const raw = isRaw(value) ? value : {}
  const document = raw.document
  if (!isRaw(document)) return null
  const { patient_name, patient_sex, patient_age, diagnoses } = document
  return {
    id: text(raw.id),
    number: text(raw.number),
    state: STATES.find((state) => state === raw.state) ?? 'draft',
    stateLabel: text(raw.state_label),
    patient: [patient_name, patient_sex, patient_age].map(text).filter(Boolean).join('　'),
    diagnoses: Array.isArray(diagnoses) ? diagnoses.map(text) : [],
    medicines: objects(document.lines).map(parseMedicine),
    prescriber: text(document.prescriber),
    institution: text(document.institution),
    issuedAt: toMillis(document.issued_at),
    validUntil: toMillis(raw.valid_until),
    returnReason: text(raw.return_reason),
    revocationReason: text(raw.revocation_reason),
    code: parsePicture(raw.verification_code),
    isPatient: raw.is_patient === true,
  }
}

const SEVERITIES: Severity[] = ['stop', 'warning', 'note']

function parseNamed(raw: Raw): Named {
  return { code: text(raw.code), name: text(raw.name) }
}

export function parseNamedList(value: unknown): Named[] {
  return objects(isRaw(value) ? value.items : null).map(parseNamed)
}

function parsePreparation(value: unknown): Preparation {
  const raw = isRaw(value) ? value : {}
  return { ...parseNamed(raw), label: text(raw.label), unit: text(raw.unit), piece: text(raw.piece), strength: number(raw.strength) || 1, routes: objects(raw.routes).map(parseNamed) }
}

export function parsePreparations(value: unknown): Preparation[] {
  return objects(isRaw(value) ? value.items : null).map(parsePreparation)
}

function parseLine(raw: Raw, preparation: Preparation): DraftLine {
  // "500.00" is what the server reckons with; nobody writes it.
  const dose = text(raw.dose).replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '')
  return { key: newKey(), preparation, amount: dose, inPieces: false, frequency: text(raw.frequency), route: text(raw.route), days: text(raw.days), note: text(raw.note) }
}

/** A line that fits the patient. */
export function parseProposal(value: unknown, preparation: Preparation): Proposal {
  const raw = isRaw(value) ? value : {}
  return { line: parseLine(isRaw(raw.line) ? raw.line : {}, preparation), why: text(raw.why) }
}

function parseFinding(raw: Raw): Finding {
  return {
    rule: text(raw.rule),
    subject: text(raw.subject),
    severity: SEVERITIES.find((one) => one === raw.severity) ?? 'stop',
    lines: Array.isArray(raw.lines) ? raw.lines.map(number) : [],
    sentence: text(raw.sentence),
    advice: text(raw.advice),
    source: text(raw.source),
    reason: text(raw.reason),
  }
}

const saidOrNot = (value: unknown): boolean | null => (typeof value === 'boolean' ? value : null)

/** Null where whoever asks may not write it, or not any more. */
export function parseDraft(value: unknown): DraftPrescription | null {
  const raw = isRaw(value) ? value : {}
  if (raw.may_write !== true) return null
  const preparations = objects(raw.medicines).map(parsePreparation)
  const lines = objects(raw.lines).flatMap((line, place) => {
    const preparation = preparations[place]
    return preparation ? [parseLine(line, preparation)] : []
  })
  return {
    id: text(raw.id),
    consultation: text(raw.consultation_id),
    number: text(raw.number),
    revision: number(raw.revision),
    updatedAt: toMillis(raw.updated_at) ?? 0,
    chronic: raw.chronic === true,
    inPerson: saidOrNot(raw.in_person),
    diagnoses: objects(raw.diagnoses).map(parseNamed),
    lines,
    said: objects(raw.said).map(parseSaid),
    findings: objects(raw.findings).map(parseFinding),
    returnReason: text(raw.return_reason),
  }
}

/** What the tab kept; null where it is nothing of ours. */
export function parseKept(value: unknown): Content | null {
  if (!isRaw(value) || !Array.isArray(value.lines)) return null
  const lines = objects(value.lines).map((raw) => ({ ...parseLine(raw, parsePreparation(raw.preparation)), amount: text(raw.amount), inPieces: raw.inPieces === true }))
  return { lines, diagnoses: objects(value.diagnoses).map(parseNamed), chronic: value.chronic === true, inPerson: saidOrNot(value.inPerson) }
}

export function parseTemplates(value: unknown): Template[] {
  return objects(isRaw(value) ? value.items : null).map((raw) => ({ id: text(raw.id), name: text(raw.name), medicines: number(raw.medicines), own: raw.own === true }))
}

/** An address on our own server; nothing where it is another. */
export function parseAddress(value: unknown): string {
  const address = text(isRaw(value) ? value.address : null)
  return /^\/(?!\/)/.test(address) ? address : ''
}
