import { describe, expect, it } from 'vitest'
import { blanksIn } from './blanks'
import { parseAddress, parseDesk, parseReport } from './parse'

describe('what the server answers', () => {
  it('is read into our own types', () => {
    const desk = parseDesk({
      number: 'HZ1', patient_name: '王小明', patient_sex: 'male', may_write: true,
      studies: [{ study_uid: '1.2', description: '胸部CT', modalities: ['CT'], taken_on: '20261121', instances: 2, critical_findings: ['气胸'] }],
      critical_values: [{ id: 'c', text: '气胸', confirmed_at: null }],
    })
    expect(desk).toMatchObject({ patient: '王小明', sex: '男', mayWrite: true, mayConfirm: false, isPatient: false, reports: [] })
    expect(desk.studies[0]).toMatchObject({ uid: '1.2', takenOn: '2026年11月21日', criticalFindings: ['气胸'], templates: [] })
    expect(desk.criticals[0]).toMatchObject({ text: '气胸', confirmedBy: '', confirmedAt: null })
  })

  it('never throws', () => {
    expect(parseDesk(null)).toMatchObject({ number: '', studies: [] })
    expect(parseReport('x')).toMatchObject({ id: '', state: 'draft', signedAt: null })
  })
})

it('places that are not filled in are found', () => {
  expect(blanksIn('直径____mm，＿＿')).toEqual([{ start: 2, end: 6 }, { start: 9, end: 11 }])
  expect(blanksIn('A_1')).toEqual([])
})

it('leads to our own server alone', () => {
  expect(parseAddress({ address: '/h5/reports/t.pdf' })).toBe('/h5/reports/t.pdf')
  expect(parseAddress({ address: '//elsewhere/t.pdf' })).toBe('')
  expect(parseAddress({ address: 'https://elsewhere/t.pdf' })).toBe('')
})
