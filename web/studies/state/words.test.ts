import { describe, expect, it } from 'vitest'
import type { Result, StudyPart } from './types'
import { byReason, dateText, kindText, lines, sexText, sizeText } from './words'

const NOTHING: Result = { batch: 'b', receiving: 0, waiting: 0, stored: 0, skipped: 0, refused: 0, heldUp: '', files: [], studies: [] }
const part = (changes: Partial<StudyPart>): StudyPart => ({ id: '1', state: 'linked', here: true, words: '', modalities: ['CT'], instances: 1, ...changes })
const said = (result: Partial<Result>) => lines({ ...NOTHING, ...result }, '王小明').map(({ text }) => text)

describe('what a person reads', () => {
  it('of sizes, kinds, dates and sexes', () => {
    expect([1, 999, 12_345, 530e6, 1.24e9].map(sizeText)).toEqual(['1 kB', '1 kB', '12 kB', '530 MB', '1.2 GB'])
    expect(kindText(['CT', 'MR', 'CT', 'XX'])).toBe('CT、磁共振、XX')
    expect(kindText([])).toBe('检查')
    expect([dateText('20261121'), dateText('2026'), dateText('')]).toEqual(['2026年11月21日', '', ''])
    expect(['M', 'female', 'O', ''].map(sexText)).toEqual(['男', '女', '', ''])
  })

  it('of images that belong here, counted over their studies', () => {
    expect(said({ stored: 60, studies: [part({ instances: 40 }), part({ instances: 20, modalities: ['DX'] })] })).toEqual(['已收到 60 张，属于 王小明 的 CT、X光片。'])
  })

  it('of what waits, belongs elsewhere, was rejected or is no image: a line for each', () => {
    const result = {
      stored: 9, skipped: 3,
      studies: [part({ state: 'quarantined', here: false, words: '姓名不同', instances: 4 }), part({ here: false, instances: 3 }), part({ state: 'rejected', here: false, instances: 2 })],
    }
    expect(said(result)).toEqual([
      '有 4 张CT要您确认是谁的：姓名不同。', '有 3 张已经属于另一次会诊，没有改动。', '有 2 张，以前有医生说过不属于任何会诊，没有改动。', '另有 3 个文件不是检查图像，跳过了。',
    ])
  })

  it('says that nothing was found only once everything was read', () => {
    expect(said({ skipped: 7 })).toEqual(['没有找到检查图像。请选光盘或U盘里的整个文件夹，不要只选看图软件。'])
    expect(said({ skipped: 7, waiting: 1 })).toEqual(['另有 7 个文件不是检查图像，跳过了。'])
    expect(said({ receiving: 1 })).toEqual([])
    expect(said({ refused: 1 })).toEqual([])
  })

  it('gathers files that were refused for one reason', () => {
    const files = [{ name: 'a', words: '坏了' }, { name: 'b', words: '太大' }, { name: 'c', words: '坏了' }]
    expect(byReason(files)).toEqual([{ words: '坏了', names: ['a', 'c'] }, { words: '太大', names: ['b'] }])
  })
})
