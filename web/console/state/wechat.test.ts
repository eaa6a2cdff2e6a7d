import { expect, it } from 'vitest'
import { type ComparedMenu, differences, standing } from './wechat'

const A = { name: '我要问诊', key: 'patient.start' }
const MORE = { name: '更多', key: '', below: [{ name: '帮助', key: 'help' }] }
const menu = (changes: Partial<ComparedMenu>): ComparedMenu => ({ audience: '所有人', wanted: [A, MORE], live: [A, MORE], same: false, ...changes })

it('says how the menu that people see differs', () => {
  expect(differences(menu({ same: true }))).toEqual([])
  expect(differences(menu({ live: [A] }))).toEqual(['微信上缺少“更多 › 帮助”。'])
  expect(differences(menu({ live: [A, MORE, { name: '活动', key: 'x' }] }))).toEqual(['微信上多了“活动”。'])
  expect(differences(menu({ live: [{ ...A, key: 'other' }, MORE] }))).toEqual(['“我要问诊”按下去做的事不一样。'])
  expect(differences(menu({ live: [MORE, A] }))).toEqual(['按钮的次序不一样。'])
  expect(differences(menu({ live: null }))[0]).toContain('还没有')
  expect(differences(menu({ wanted: null }))[0]).toContain('删掉')
})

it('says how a template stands', () => {
  const good = { id: 'a', exists: true, title: '通知', lacking: [], unfilled: [], good: true }
  expect(standing(good)).toEqual({ good: true, text: '可以用' })
  expect(standing(null).good).toBe(false)
  expect(standing({ ...good, exists: false }).text).toContain('没有这个编号')
  expect(standing({ ...good, exists: null }).good).toBe(true)
  expect(standing({ ...good, lacking: ['thing1'], unfilled: ['name2'], good: false }).text).toMatch(/thing1.*name2/)
})
