import { describe, expect, it } from 'vitest'
import { parseCases, parseResult, parseTraits, parseWaiting } from './parse'

describe('what the server answers', () => {
  it('is read as far as it makes sense, whatever came', () => {
    for (const odd of [null, 7, 'x', [], { items: 'x' }, { items: [null, 3] }]) {
      expect(parseResult(odd)).toMatchObject({ batch: '', stored: 0, files: [], studies: [] })
      expect([parseWaiting(odd), parseCases(odd), parseTraits(odd)]).toEqual([[], [], []])
    }
  })

  it('never takes a study for settled that the server does not call so', () => {
    const states = ['linked', 'rejected', 'quarantined', 'merged', undefined].map((state) => ({ state, here: 'yes' }))
    const { studies } = parseResult({ studies: states })
    expect(studies.map(({ state }) => state)).toEqual(['linked', 'rejected', 'quarantined', 'quarantined', 'quarantined'])
    expect(studies.every(({ here }) => !here)).toBe(true)
  })

  it('never takes two traits for the same that the server does not call so', () => {
    const traits = parseTraits({ items: ['same', 'different', 'unknown', 'likely'].map((result) => ({ trait: 'name', result })) })
    expect(traits.map(({ result }) => result)).toEqual(['same', 'different', 'unknown', 'unknown'])
  })

  it('keeps numbers and names', () => {
    expect(parseResult({ batch: 'b', held_up: '满了', files: [{ name: 'a', words: '坏' }], studies: [{ id: '1', state: 'linked', here: true, modalities: ['CT', null], instances: '3' }] })).toEqual({
      batch: 'b', receiving: 0, waiting: 0, stored: 0, skipped: 0, refused: 0, heldUp: '满了', files: [{ name: 'a', words: '坏' }],
      studies: [{ id: '1', state: 'linked', here: true, words: '', modalities: ['CT'], instances: 3 }],
    })
  })
})
