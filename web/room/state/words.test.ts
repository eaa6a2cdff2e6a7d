import { describe, expect, it } from 'vitest'
import { lastedText, untilText } from './countdown'
import { standingLine } from './lines'
import { forPhone, scaleDown } from './sending'
import { wayOf } from './speed'
import type { Person } from './types'

const MINUTE = 60_000

function other(more: Partial<Person> = {}): Person {
  return { person: 'p', name: '陈明远', label: '专家', role: 'host', audio: true, camera: true, screen: false, network: 4, ...more }
}

describe('times in words', () => {
  it('says how long until something', () => {
    expect([0, 400, 59_000, 59_500, 12 * MINUTE, 60 * MINUTE, 125 * MINUTE, 72 * 60 * MINUTE].map(untilText)).toEqual([
      '0 秒', '1 秒', '59 秒', '1 分钟', '12 分钟', '1 小时', '2 小时 5 分钟', '3 天',
    ])
  })

  it('says how long something has gone on', () => {
    expect([-5, 5000, 65_000, 3_725_000].map(lastedText)).toEqual(['0:00', '0:05', '1:05', '1:02:05'])
  })
})

describe('the network in words', () => {
  it('goes by the middle of the answers', () => {
    expect(wayOf([])).toBe('none')
    expect(wayOf([30, 2000, 40])).toBe('good')
    expect(wayOf([500, 300, 800])).toBe('usable')
    expect(wayOf([1500])).toBe('bad')
  })
})

describe('standingLine', () => {
  const fine = { broken: '', audioOnly: false, frozen: false, cameraOff: false, others: [other()] }

  it('is silent when all is well', () => {
    expect(standingLine(fine)).toBe('')
  })

  it('says what matters most', () => {
    const all = { broken: '网络断了', audioOnly: true, frozen: true, cameraOff: true, others: [other({ network: 1 })] }
    expect(standingLine(all)).toBe('网络断了')
    expect(standingLine({ ...all, broken: '' })).toContain('定格')
    expect(standingLine({ ...all, broken: '', frozen: false })).toContain('您的网络不好')
    expect(standingLine({ ...fine, others: all.others, cameraOff: true })).toBe('陈明远的网络不好，先只听声音。')
    expect(standingLine({ ...fine, others: [] })).toContain('还没有别人进来')
    expect(standingLine({ ...fine, cameraOff: true })).toContain('您的画面关着')
  })
})

describe('forPhone', () => {
  it('takes what a phone can keep up, and nothing more', () => {
    const full = { width: 1920, height: 1080, frameRate: 30, bitrate: 4_000_000 }
    const small = { width: 854, height: 480, frameRate: 15, bitrate: 500_000 }
    expect(forPhone(full)).toMatchObject({ height: 720, frameRate: 25 })
    expect(forPhone(small)).toBe(small)
  })
})

describe('scaleDown', () => {
  it('makes a picture as small as asked, whichever way the phone is held, and never larger', () => {
    const picture = { width: 854, height: 480, frameRate: 15, bitrate: 500_000 }
    expect(scaleDown(720, picture)).toBe(1.5)
    expect(scaleDown(360, picture)).toBe(1)
    expect(scaleDown(0, picture)).toBe(1)
  })
})
