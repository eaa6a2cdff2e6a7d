import { expect, test } from 'vitest'
import { codesIn, tagSaid } from './teaching'

test('codes are read however they are set apart', () => {
  expect(codesIn(' J18.9，J44.1;I10、 ')).toEqual(['J18.9', 'J44.1', 'I10'])
  expect(codesIn('  ')).toEqual([])
})

test('a tag is said in Chinese', () => {
  expect(tagSaid('misdiagnosed')).toBe('曾误诊')
})
