import { describe, expect, it } from 'vitest'
import { parseTeaching, standing, type RequestState, type TeachingRequest } from './teaching'

const place = { id: 'p', label: '教学库', institution: '医学院' }
const request = (state: RequestState, changes: Partial<TeachingRequest> = {}): TeachingRequest => ({ place, state, total: 0, arrived: 0, stayed: 0, sentence: '', ...changes })

describe('copies for teaching', () => {
  it('are nothing to whoever may not ask', () => {
    expect(parseTeaching({ may_ask: false, patient: 'agreed', places: [place] })).toEqual({ mayAsk: false, patient: 'undecided', places: [], studies: [] })
    expect(parseTeaching(null).mayAsk).toBe(false)
  })

  it('never say that a patient agrees who has not', () => {
    expect(parseTeaching({ may_ask: true, patient: 'perhaps' }).patient).toBe('undecided')
  })

  it('say where they stand', () => {
    expect(standing(request('waiting'))).toContain('等患者同意')
    expect(standing(request('declined'))).toBe('患者不同意，没有送')
    expect(standing(request('declined', { total: 9, arrived: 4, stayed: 5 }))).toBe('患者收回了同意，送了 4 张以后不再送')
    expect(standing(request('sending'))).toBe('马上开始送')
    expect(standing(request('sending', { total: 40, arrived: 12 }))).toBe('正在送，已送 12/40 张')
    expect(standing(request('sent', { total: 40, arrived: 40 }))).toBe('已送 40 张')
    expect(standing(request('sent', { total: 4, arrived: 2, stayed: 2, sentence: '图上印着字。' }))).toBe('已送 2 张，2 张没有送：图上印着字。')
    expect(standing(request('stayed', { total: 1, stayed: 1, sentence: '图上印着字。' }))).toBe('没有送：图上印着字。')
  })
})
