import { describe, expect, it } from 'vitest'
import { batchOf, fingerprintOf } from './fingerprint'
import { packOf } from './plan'
import type { Unit } from './types'

const file = (path: string, content: string, lastModified = 1) => ({ path, file: new File([content], path, { lastModified }) })
const alone = (content: string, lastModified = 1): Unit => {
  const one = file('a', content, lastModified)
  return { packed: false, name: 'a', files: [one], size: one.file.size }
}

describe('what was chosen', () => {
  it('is known again in whatever order it is listed', async () => {
    const [one, other] = [file('a', '1'), file('b', '22')]
    expect(await batchOf([one, other])).toBe(await batchOf([other, one]))
    expect(await batchOf([one])).not.toBe(await batchOf([one, other]))
    expect(await batchOf([one])).toMatch(/^[0-9a-f]{32}$/)
  })

  it('is known again by its content and not by the time that a phone gives it', async () => {
    expect(await fingerprintOf(alone('abc', 1))).toBe(await fingerprintOf(alone('abc', 2)))
    expect(await fingerprintOf(alone('abc'))).not.toBe(await fingerprintOf(alone('abd')))
    expect(await fingerprintOf(alone('abc'))).toMatch(/^[0-9a-f]{64}$/)
  })

  it('is another where only the end differs, or only the length', async () => {
    const long = 'x'.repeat(200_000)
    expect(await fingerprintOf(alone(`${long}1`))).not.toBe(await fingerprintOf(alone(`${long}2`)))
    expect(await fingerprintOf(alone(`${long}x1`))).not.toBe(await fingerprintOf(alone(`${long}1`)))
  })

  it('is known again as a pack by names, sizes and times', async () => {
    expect(await fingerprintOf(packOf([file('a', '1')]))).toBe(await fingerprintOf(packOf([file('a', '2')])))
    expect(await fingerprintOf(packOf([file('a', '1', 1)]))).not.toBe(await fingerprintOf(packOf([file('a', '1', 2)])))
  })
})
