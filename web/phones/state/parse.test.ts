import { describe, expect, it } from 'vitest'
import { parseClock, parseJournal, parseMenu, parseMessage, parseMessages, parsePhones } from './parse'

const message = (more: object) => parseMessage({ seq: 7, at: '2026-11-21T08:30:00Z', from: 'account', ...more })

describe('parseMessage', () => {
  it('reads a menu with its items', () => {
    expect(message({ kind: 'menu', text: '咳了多久？', items: [{ id: 1, text: '三天' }], tail: '' })).toMatchObject({
      seq: 7,
      kind: 'menu',
      items: [{ id: '1', text: '三天' }],
    })
  })

  it('drops addresses that must not be opened', () => {
    expect(message({ kind: 'template', title: 't', fields: [], url: 'javascript:alert(1)' })).toMatchObject({ url: null })
    expect(message({ kind: 'image', url: 'data:image/svg+xml,x' })).toMatchObject({ url: null })
  })

  it('reads one article or several', () => {
    expect(message({ kind: 'news', title: '一', url: 'https://a.b/' })).toMatchObject({ articles: [{ title: '一' }] })
    const articles = [{ title: '一' }, { title: '二' }]
    expect(message({ kind: 'news', title: '一', articles })).toMatchObject({ articles: [{ title: '一' }, { title: '二' }] })
  })

  it('names a kind that it does not know, also one from the prototype', () => {
    expect(message({ kind: 'shortvideo' })).toMatchObject({ kind: 'unknown', name: 'shortvideo' })
    expect(message({ kind: 'constructor' })).toMatchObject({ kind: 'unknown' })
  })

  it('survives any nonsense', () => {
    for (const value of [null, 1, 'x', [], {}, { seq: '7' }]) expect(parseMessage(value)).toBeNull()
    expect(message({ kind: 'template', fields: 'x', title: 5 })).toMatchObject({ title: '5', fields: [] })
    expect(parseMessages({ not: 'a list' })).toEqual([])
  })
})

describe('the other answers', () => {
  it('reads phones and leaves out what has no openid', () => {
    const phones = parsePhones([{ openid: 'o1', nickname: '老王', following: true, unread: 2, last_seq: 9, consents: { t: 1 } }, {}, null])
    expect(phones).toEqual([
      { openid: 'o1', nickname: '老王', following: true, unread: 2, lastSeq: 9, roleHint: '', last: null, consents: { t: 1 } },
    ])
  })

  it("keeps to WeChat's bounds of a menu", () => {
    const sub = Array.from({ length: 9 }, (_, index) => ({ name: `s${index}`, type: 'click', key: `k${index}` }))
    const menu = parseMenu({ button: Array.from({ length: 5 }, () => ({ name: '更多', sub_button: sub })) })
    expect(menu).toHaveLength(3)
    expect(menu[0]?.sub_button).toHaveLength(5)
    expect(parseMenu(null)).toEqual([])
  })

  it('marks a journal entry bad by errcode, by status and by silence', () => {
    const states = parseJournal([
      { seq: 1, status: 200, errcode: 0 },
      { seq: 2, status: 200, errcode: 45015 },
      { seq: 3, status: 0, errcode: null },
      { seq: 4, status: 500, errcode: null },
    ]).map((entry) => [entry.status, entry.ok])
    expect(states).toEqual([['200', true], ['errcode 45015', false], ['没有回答', false], ['500', false]])
  })

  it('reads the clock', () => {
    expect(parseClock({ now: '2026-11-21T08:30:00Z' })).toBe(Date.parse('2026-11-21T08:30:00Z'))
    expect(parseClock('x')).toBeNull()
  })
})
