import { describe, expect, it } from 'vitest'
import { daysOf, doseOf, isSameLine, missingOf, newKey, recounted } from './lines'
import type { DraftLine, Preparation } from './types'

const CAPSULE: Preparation = { code: 'a', name: '阿莫西林胶囊', label: '阿莫西林胶囊 250mg×24粒/盒', unit: 'mg', piece: '粒', strength: 250, routes: [{ code: 'oral', name: '口服' }] }

function line(change: Partial<DraftLine> = {}): DraftLine {
  return { key: newKey(), preparation: CAPSULE, amount: '500', inPieces: false, frequency: 'tid', route: 'oral', days: '5', note: '', ...change }
}

describe('a line that is being written', () => {
  it('counts in milligrams or in pieces', () => {
    expect(doseOf(line())).toBe('500')
    expect(doseOf(line({ amount: '2', inPieces: true }))).toBe('500')
    expect(doseOf(line({ amount: '0.5', inPieces: true }))).toBe('125')
    expect(recounted(line(), true)).toBe('2')
    expect(recounted(line({ amount: '1.5', inPieces: true }), false)).toBe('375')
    const tenth = { ...CAPSULE, strength: 0.1 }
    expect(doseOf(line({ amount: '3', inPieces: true, preparation: tenth }))).toBe('0.3')
  })

  it('has no dose while what is typed is no amount, and keeps what is typed', () => {
    for (const amount of ['', '两', '-5', '0', '1e3', '5.', 'NaN', '1234567', '0.00001']) {
      expect(doseOf(line({ amount })), amount).toBe('')
      expect(recounted(line({ amount }), true), amount).toBe(amount)
      expect(missingOf(line({ amount })), amount).toContain('阿莫西林胶囊：一次用多少')
    }
  })

  it('lasts from one to ninety days', () => {
    expect([daysOf(line({ days: '90' })), daysOf(line({ days: ' 7 ' }))]).toEqual([90, 7])
    for (const days of ['', '0', '91', '7.5', '七', '-1']) expect(missingOf(line({ days })), days).toContain('天数')
  })

  it('is the same however it is counted, and another where anything of it differs', () => {
    expect(isSameLine(line(), line({ amount: '2', inPieces: true }))).toBe(true)
    expect(isSameLine(line(), line({ note: ' ' }))).toBe(true)
    for (const change of [{ amount: '250' }, { amount: '' }, { days: '6' }, { frequency: 'bid' }, { route: 'iv' }, { note: '饭后吃' }]) {
      expect(isSameLine(line(), line(change))).toBe(false)
    }
  })
})
