import { afterEach, expect, it, vi } from 'vitest'
import { openDeskSession } from './deskcode'

afterEach(() => vi.unstubAllGlobals())

it('reads whose the digits were, of which consultation, and to which page they lead', async () => {
  const answer = { token: 't', expires_at: '', consultation_id: 'c', page: 'reports' }
  const fetched = vi.fn<typeof fetch>(async () => new Response(JSON.stringify(answer)))
  vi.stubGlobal('fetch', fetched)
  expect(await openDeskSession('12345678')).toEqual({ token: 't', consultation: 'c', page: 'reports' })
  expect(fetched.mock.calls[0]?.[1]?.body).toBe('{"code":"12345678"}')
})
