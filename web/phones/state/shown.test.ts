import { describe, expect, it } from 'vitest'
import { roleLabel, roleOf } from './roles'
import { defaultPhones } from './shown'
import type { Phone } from './store'

const phone = (nickname: string, roleHint = '') => ({ openid: nickname, nickname, roleHint }) as Phone
const names = (phones: Phone[]) => phones.map((one) => one.nickname)

describe('the phones on the desk', () => {
  it('are one patient, one village doctor and one expert, in this order', () => {
    const list = [phone('陈主任'), phone('患者 甲'), phone('患者 乙'), phone('村医 丙')]
    expect(names(defaultPhones(list))).toEqual(['患者 甲', '村医 丙', '陈主任'])
  })

  it('are filled up with whoever is there', () => {
    expect(names(defaultPhones([phone('甲'), phone('村医 乙'), phone('丙'), phone('丁')]))).toEqual(['村医 乙', '甲', '丙'])
    expect(defaultPhones([])).toEqual([])
  })
})

describe('the role of a phone', () => {
  it('is the hint first and the name second', () => {
    expect(roleOf(phone('陈主任', 'patient'))).toBe('patient')
    expect(roleOf(phone('省医院 陈主任'))).toBe('expert')
    expect(roleOf(phone('小龙'))).toBe('other')
  })

  it('is found in the openid where the title fits two roles', () => {
    const person = { nickname: '周立群 主治医师', roleHint: '' }
    expect(roleOf({ ...person, openid: 'demo-exp-03' })).toBe('expert')
    expect(roleOf({ ...person, openid: 'demo-doc-01' })).toBe('doctor')
  })

  it('is said in Chinese', () => {
    expect(roleLabel(phone('x', '基层医生'))).toBe('基层医生')
    expect(roleLabel(phone('x', 'expert'))).toBe('专家')
    expect(roleLabel(phone('x'))).toBe('')
  })
})
