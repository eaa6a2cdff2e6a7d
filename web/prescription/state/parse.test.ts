import { describe, expect, it } from 'vitest'
import { parseAddress, parsePrescription } from './parse'

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
