import { describe, expect, it } from 'vitest'
import { parseAddress, parseDraft, parseKept, parsePrescription } from './parse'

const LINE = { name: '阿莫西林胶囊', spec: '250mg×24粒/盒', dose: '500mg', pieces: '2粒', frequency: '每天三次', route: '口服', days: 5, packs: 2, pack_unit: '盒', note: '饭后吃' }
const ANSWER = {
  id: 'a', number: 'CF1', state: 'valid', state_label: '可以取药', valid_until: '2026-11-25T16:00:00Z', is_patient: true,
  verification_code: 'data:image/svg+xml;charset=utf-8,%3Csvg',
  document: { patient_name: '王小明', patient_sex: '男', patient_age: '46岁', diagnoses: ['急性支气管炎（J20.9）'], lines: [LINE], prescriber: '李梅 主治医师', institution: '卫生院', issued_at: '2026-11-23T00:00:00Z' },
}

describe('parsePrescription', () => {
  it('reads what was signed', () => {
    const read = parsePrescription(ANSWER)
    expect(read?.medicines[0]).toEqual({ ...LINE, packs: '2盒', pack_unit: undefined, pieces: '2粒' })
    expect([read?.patient, read?.state, read?.isPatient]).toEqual(['王小明　男　46岁', 'valid', true])
  })

  it('shows nothing of what is not signed, or of another shape', () => {
    for (const other of [null, 3, 'a', [], {}, { ...ANSWER, document: null }]) expect(parsePrescription(other)).toBeNull()
  })

  it('takes no picture from elsewhere', () => {
    expect(parsePrescription({ ...ANSWER, verification_code: 'https://elsewhere.test/a.svg' })?.code).toBe('')
  })
})

describe('parseAddress', () => {
  it('takes addresses of our own server alone', () => {
    expect(parseAddress({ address: '/h5/prescriptions/t.pdf' })).toBe('/h5/prescriptions/t.pdf')
    for (const other of ['//elsewhere.test/a', 'https://elsewhere.test/a', '', null]) expect(parseAddress({ address: other })).toBe('')
  })
})

const MEDICINE = { code: 'a', name: '阿莫西林胶囊', label: '阿莫西林胶囊 250mg×24粒/盒', unit: 'mg', piece: '粒', strength: '250', routes: [{ code: 'oral', name: '口服' }] }
const DRAFT = {
  id: 'a', consultation_id: 'c', number: 'CF1', may_write: true, revision: 3, updated_at: '2026-11-22T00:00:00Z', chronic: false, in_person: null,
  diagnoses: [{ code: 'J20.9', name: '急性支气管炎' }], medicines: [MEDICINE], said: [LINE], findings: [{ rule: 'course.acute', subject: 'a', severity: 'warning', lines: [0], sentence: '太长', advice: '', source: '办法', reason: '' }],
  lines: [{ preparation: 'a', dose: '2.50', frequency: 'tid', route: 'oral', days: 10, note: '' }],
}

describe('parseDraft', () => {
  it('reads lines with their preparations, and what was found', () => {
    const read = parseDraft(DRAFT)
    expect(read?.lines[0]).toMatchObject({ amount: '2.5', inPieces: false, days: '10', preparation: { strength: 250 } })
    expect(read?.findings[0]).toMatchObject({ severity: 'warning', lines: [0] })
    expect([read?.inPerson, read?.revision]).toEqual([null, 3])
  })

  it('is nothing to whoever may not write it; what cannot be understood is never milder than it is', () => {
    for (const other of [null, 3, {}, { ...DRAFT, may_write: false }]) expect(parseDraft(other)).toBeNull()
    expect(parseDraft({ ...DRAFT, findings: [{ severity: 'new' }] })?.findings[0]?.severity).toBe('stop')
  })
})

describe('parseKept', () => {
  it('gives back what the tab kept, half-written amounts too', () => {
    const { lines = [], diagnoses = [] } = parseDraft(DRAFT) ?? {}
    const kept = { lines: lines.map((one) => ({ ...one, amount: '两', inPieces: true })), diagnoses, chronic: true, inPerson: false }
    const read = parseKept(JSON.parse(JSON.stringify(kept)))
    expect(read).toMatchObject({ chronic: true, inPerson: false, diagnoses, lines: [{ amount: '两', inPieces: true, days: '10' }] })
    for (const other of [null, 3, {}, { lines: 3 }]) expect(parseKept(other)).toBeNull()
  })
})
