import { describe, expect, it } from 'vitest'
import { curve } from './curve'
import { parseHistory } from './parse'

describe('what the server answers', () => {
  it('becomes our own types', () => {
    const history = parseHistory({
      name: '王秀英', sex: 'female', age: 67, identified: true, asking: false, allergies: [{ text: '青霉素', severe: true, hospitals: ['县医院'] }],
      laboratory: [{ name: '血钾', value: '3.4', mark: 'L', trend: 'down', points: [{ at: '2026-11-01T00:00:00Z', value: 3.4 }] }],
      hospitals: [{ name: '县医院', outcome: 'fetched', sentence: '查到。' }], more: { laboratory: 2 },
    })
    expect(history.sex).toBe('女')
    expect(history.allergies[0]).toMatchObject({ text: '青霉素', severe: true, hospitals: ['县医院'] })
    expect(history.laboratory[0]).toMatchObject({ mark: 'L', trend: 'down', points: [{ at: 1793491200000, value: 3.4 }] })
    expect(history.more.laboratory).toBe(2)
  })

  it('never throws, whatever it is', () => {
    for (const odd of [null, 7, 'x', [], { allergies: 'x', vitals: [7], more: 3, hospitals: [{ outcome: 'x' }] }]) {
      expect(parseHistory(odd).allergies).toEqual([])
    }
    expect(parseHistory({ hospitals: [{ outcome: 'odd' }] }).hospitals[0]?.outcome).toBe('waiting')
  })
})

describe('a small curve', () => {
  it('needs three values', () => {
    expect(curve([{ at: 0, value: 1 }, { at: 1, value: 2 }])).toBe('')
  })

  it('goes from the oldest to the newest, up where the value is higher', () => {
    expect(curve([{ at: 0, value: 1 }, { at: 50, value: 3 }, { at: 100, value: 2 }])).toBe('3.0,25.0 48.0,3.0 93.0,14.0')
  })

  it('is a level line where nothing changes', () => {
    expect(curve([{ at: 0, value: 5 }, { at: 1, value: 5 }, { at: 2, value: 5 }])).toContain('14.0')
  })
})
