import { describe, expect, it } from 'vitest'
import { clockFace, mustWait, order, type Player, spoken } from './sync'

const player: Player = { begins: 10, duration: 60, at: 5, isReady: true }

describe('players on one clock', () => {
  it('lets a player run that is nearly right', () => {
    expect(order(player, 15.2, true)).toEqual({ seek: null, run: true })
  })

  it('sets a player right that has fallen behind', () => {
    expect(order(player, 17, true)).toEqual({ seek: 7, run: true })
  })

  it('stops a player that has not begun yet or is over', () => {
    expect(order({ ...player, at: 0 }, 4, true)).toEqual({ seek: null, run: false })
    expect(order(player, 71, true)).toEqual({ seek: null, run: false })
  })

  it('shows the exact moment while nothing runs', () => {
    expect(order(player, 15.2, false)).toEqual({ seek: expect.closeTo(5.2), run: false })
  })

  it('waits for those alone who are to be seen now', () => {
    const slow = { ...player, isReady: false }
    expect(mustWait([player, slow], 15)).toBe(true)
    expect(mustWait([player, slow], 5)).toBe(false)
  })
})

describe('times', () => {
  it.each([[0, '0:00', '0秒'], [67.9, '1:07', '1分7秒'], [3787, '1:03:07', '1小时3分7秒'], [-1, '0:00', '0秒']])(
    '%d seconds', (seconds, face, words) => {
      expect(clockFace(seconds)).toBe(face)
      expect(spoken(seconds)).toBe(words)
    })
})
