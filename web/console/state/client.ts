import { reactive } from 'vue'
import { ApiError, call, callJson } from '../../shared/http'
import type { Session } from './types'

const API = '/console/api'

/** Who is signed in; `over` where somebody was, and the session has ended. */
export const signedIn = reactive<{ session: Session | null; known: boolean; over: boolean }>({ session: null, known: false, over: false })

/** How far the product's clock is ahead of this browser's, which may be wrong. */
let ahead = 0

/** The product's present moment: what its days and spans are counted by. */
export const now = (): number => Date.now() + ahead

function begun(session: Session): Session {
  ahead = Date.parse(session.now) - Date.now()
  return session
}

export type Query = Record<string, string | number | boolean | null | undefined>

export function address(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== '' && value !== null && value !== undefined)
  const said = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return `${API}${path}${said ? `?${said}` : ''}`
}

function headers(more: Record<string, string> = {}): Record<string, string> {
  return { ...more, 'X-CSRF-Token': signedIn.session?.csrf_token ?? '' }
}

/** A session that has ended leads back to signing in, whichever page was asking. */
async function watched<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof ApiError && error.code === 'session_over') {
      signedIn.over = signedIn.session !== null
      signedIn.session = null
    }
    throw error
  }
}

export function get<T>(path: string, query: Query = {}): Promise<T> {
  return watched(callJson<T>(address(path, query)))
}

export function send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, headers: headers() }
  if (body !== undefined) {
    init.headers = headers({ 'Content-Type': 'application/json' })
    init.body = JSON.stringify(body)
  }
  return watched(callJson<T>(`${API}${path}`, init))
}

export function sendFile<T>(path: string, query: Query, file: Blob): Promise<T> {
  const init = { method: 'POST', headers: headers({ 'Content-Type': 'application/octet-stream' }), body: file }
  return watched(callJson<T>(address(path, query), init, 60_000))
}

/** Saves a file that the API makes. */
export async function download(path: string, query: Query, name: string): Promise<void> {
  const blob = await (await watched(call(address(path, query), {}, 60_000))).blob()
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

export async function findSession(): Promise<void> {
  try {
    signedIn.session = begun(await callJson<Session>(`${API}/session`))
  } catch {
    signedIn.session = null
  }
  signedIn.known = true
}

export async function signIn(name: string, password: string, code: string): Promise<void> {
  signedIn.session = begun(await send<Session>('POST', '/session', { name, password, code }))
  signedIn.over = false
}

export async function signOut(): Promise<void> {
  await send('DELETE', '/session')
  signedIn.session = null
}

export function sentenceOf(error: unknown): string {
  return error instanceof ApiError ? error.message : '没有成功，请再试一次'
}
