import { describe, expect, it } from 'vitest'
import { safeUrl, toSegments } from './richtext'

const read = (text: string) =>
  toSegments(text)
    .map((segment) => segment.text)
    .join('')

describe('toSegments', () => {
  it('leaves plain text and foreign tags as they are', () => {
    const text = '<script>alert(1)</script> <b>粗</b> 体温 < 38 > 36'
    expect(toSegments(text)).toEqual([{ kind: 'text', text }])
  })

  it('finds a bare address and stops before Chinese and closing punctuation', () => {
    expect(toSegments('请看 https://example.org/a?b=1。谢谢')).toEqual([
      { kind: 'text', text: '请看 ' },
      { kind: 'link', text: 'https://example.org/a?b=1', url: 'https://example.org/a?b=1' },
      { kind: 'text', text: '。谢谢' },
    ])
    expect(toSegments('(https://example.org/a).')[1]).toMatchObject({ text: 'https://example.org/a' })
  })

  it('turns an anchor into a link with its label', () => {
    expect(toSegments('点<a href="https://example.org/x?a=1&amp;b=2">这里</a>')).toEqual([
      { kind: 'text', text: '点' },
      { kind: 'link', text: '这里', url: 'https://example.org/x?a=1&b=2' },
    ])
  })

  it('turns a message-menu anchor into a tappable sentence', () => {
    const text = '<a href="weixin://bizmsgmenu?msgmenucontent=%E6%98%AF&msgmenuid=yes%2F1">是 &lt;对&gt;</a>'
    expect(toSegments(text)).toEqual([{ kind: 'item', text: '是 <对>', id: 'yes/1' }])
  })

  it.each(['javascript:alert(1)', 'data:text/html,x', 'weixin://other', 'vbscript:x', ' JaVaScRiPt:alert(1)'])(
    'never makes a link of %s',
    (href) => {
      const text = `<a href="${href}">点我</a>`
      expect(toSegments(text)).toEqual([{ kind: 'text', text }])
    },
  )

  it('loses nothing of a text without anchors', () => {
    for (const text of ['', 'a', '\n\n', '😀 https://a.b/c, d https://', ']]> &amp; <a>x</a>', '<a href="">x</a>']) {
      expect(read(text)).toBe(text)
    }
  })

  it('stays quick on a long hostile text', () => {
    const text = '<a '.repeat(7000) + '<a href="'.repeat(2000)
    const start = performance.now()
    expect(read(text)).toBe(text)
    expect(performance.now() - start).toBeLessThan(1000)
  })
})

describe('safeUrl', () => {
  it('lets http and https through and nothing else', () => {
    expect(safeUrl('https://example.org')).toBe('https://example.org/')
    expect(safeUrl('/a', 'http://127.0.0.1:8090/x')).toBe('http://127.0.0.1:8090/a')
    for (const url of ['', null, undefined, 'javascript:1', 'file:///etc', 'not an address']) expect(safeUrl(url)).toBeNull()
  })
})
