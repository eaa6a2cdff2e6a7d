import { beforeAll, expect, test, vi } from 'vitest'

beforeAll(() => {
  vi.stubGlobal('location', { hash: '' })
  vi.stubGlobal('addEventListener', () => undefined)
})

test('an address names a page and what it is about', async () => {
  const { hrefOf, placeOf } = await import('./route')
  expect(placeOf('')).toEqual({ name: 'dashboard', id: '' })
  expect(placeOf('#/cases/0190')).toEqual({ name: 'cases', id: '0190' })
  expect(hrefOf('cases', '0190')).toBe('/console#/cases/0190')
})
