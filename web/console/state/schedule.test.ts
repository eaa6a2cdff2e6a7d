import { describe, expect, it } from 'vitest'
import { type Block, LAST, blocksByWeek, blocksOfWeek, changedDays, clockOf, dayNote, dayOfMoment, daysLater, faultOf, lengthened, merge, minuteOfMoment, minutesOf, moved } from './schedule'

const block = (key: number, day: number, from: number, to: number): Block => ({ key, day, from, to, slot: 30, holidays: false })
const MORNING = block(1, 0, 540, 720)

describe('times of an expert', () => {
  it('are minutes of the day in China', () => {
    expect(minutesOf('09:30')).toBe(570)
    expect(clockOf(570)).toBe('09:30')
    expect(minuteOfMoment('2026-11-23T01:30:00+00:00')).toBe(570)
    expect(dayOfMoment('2026-11-22T16:00:00+00:00')).toBe('2026-11-23')
    expect(daysLater('2026-12-28', 7)).toBe('2027-01-04')
  })

  it('move and grow inside the week and the day', () => {
    expect(moved(MORNING, 1, 30)).toMatchObject({ day: 1, from: 570, to: 750 })
    expect(moved(MORNING, -1, -9999)).toMatchObject({ day: 0, from: 0, to: 180 })
    expect(moved(MORNING, 9, 9999)).toMatchObject({ day: 6, to: LAST })
    expect(lengthened(MORNING, 30).to).toBe(750)
    expect(lengthened(MORNING, -9999).to).toBe(570)
  })

  it('do not overlap, and hold one consultation at least', () => {
    expect(faultOf([MORNING], block(2, 0, 700, 800))).toContain('09:00–12:00')
    expect(faultOf([MORNING], block(2, 0, 720, 800))).toBe('')
    expect(faultOf([MORNING], block(2, 1, 700, 800))).toBe('')
    expect(faultOf([MORNING], MORNING)).toBe('')
    expect(faultOf([], { ...MORNING, slot: 240 })).toContain('太早')
  })
})

describe('two who change one week', () => {
  it('both keep what they changed on different days', () => {
    const mine = [block(1, 0, 600, 720)]
    const theirs = [MORNING, block(3, 2, 540, 600)]
    const merged = merge([MORNING], mine, theirs)
    expect(merged.blocks.map((one) => [one.day, one.from])).toEqual([[0, 600], [2, 540]])
    expect([merged.taken, merged.disputed]).toEqual([[2], []])
  })

  it('are told of the day that both have changed', () => {
    const merged = merge([MORNING], [block(1, 0, 600, 720)], [block(1, 0, 540, 660)])
    expect([merged.taken, merged.disputed]).toEqual([[], [0]])
    expect(merged.blocks[0]?.from).toBe(600)
    expect(changedDays([MORNING], [MORNING])).toEqual([])
  })
})

it('leaves the hours of the week out on a holiday unless they were given for it', () => {
  const thursday = { day: '2026-10-01', working: false, holiday: '国庆节', makes_up: false, announced: true, own: false, rests: true, hours: [] }
  const week = [{ weekday: 3, start: '09:00', end: '10:00', slot_minutes: 30, on_holidays: false }, { weekday: 3, start: '18:00', end: '19:00', slot_minutes: 30, on_holidays: true }]
  expect(blocksByWeek(week, 3, thursday).map((one) => one.from)).toEqual([1080])
  expect(blocksByWeek(week, 3, { ...thursday, working: true, holiday: '' }).map((one) => one.from)).toEqual([540, 1080])
  expect(changedDays(blocksOfWeek(week), blocksOfWeek(week.map((one) => ({ ...one, on_holidays: true }))))).toEqual([3])
})

it('says of a day what an office would', () => {
  const day = { day: '2026-10-01', working: false, holiday: '国庆节', makes_up: false, announced: true, own: false, rests: false, hours: [] }
  expect(dayNote(day)).toBe('国庆节放假')
  expect(dayNote({ ...day, rests: true })).toBe('国庆节放假，不出诊')
  expect(dayNote({ ...day, working: true, makes_up: true })).toBe('国庆节调休上班')
  expect(dayNote({ ...day, holiday: '' })).toBe('周末')
  expect(dayNote({ ...day, holiday: '', working: true })).toBe('')
})
