import { toMillis } from '../../shared/chinatime'
import { isRaw, number, objects, type Raw, text } from '../../shared/raw'
import type { Medicine, Prescription, State } from './types'

/** The boundary: turns what the server answered into our own types. */
const STATES: State[] = ['draft', 'signed', 'valid', 'partly_dispensed', 'dispensed', 'revoked', 'expired']

function parseMedicine(raw: Raw): Medicine {
  return {
    name: text(raw.name),
    spec: text(raw.spec),
    dose: text(raw.dose),
    pieces: text(raw.pieces),
    frequency: text(raw.frequency),
    route: text(raw.route),
    days: number(raw.days),
    packs: `${number(raw.packs)}${text(raw.pack_unit)}`,
    note: text(raw.note),
  }
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

/** An address on our own server; nothing where it is another. */
export function parseAddress(value: unknown): string {
  const address = text(isRaw(value) ? value.address : null)
  return /^\/(?!\/)/.test(address) ? address : ''
}
