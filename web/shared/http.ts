/** A failed call: `code` is stable and for programs, `message` is a Chinese sentence that may be shown. */
export class ApiError extends Error {
  readonly code: string
  readonly status: number
  /** After how many milliseconds the server asks to try again; null where it does not say. */
  readonly retryAfterMs: number | null

  constructor(code: string, message: string, status: number, retryAfterMs: number | null = null) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

const DEFAULT_TIMEOUT_MS = 15_000

async function failureOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null)
  const found = (typeof body === 'object' && body !== null ? body : {}) as { code?: unknown; message?: unknown }
  return new ApiError(
    String(found.code ?? response.status),
    typeof found.message === 'string' && found.message ? found.message : '没有成功，请再试一次',
    response.status,
    retryAfter(response),
  )
}

function retryAfter(response: Response): number | null {
  const seconds = Number.parseInt(response.headers.get('Retry-After') ?? '', 10)
  return Number.isFinite(seconds) ? seconds * 1000 : null
}

/** AbortSignal.timeout, which the web views of older phones lack. */
function timeout(ms: number): AbortController {
  const controller = new AbortController()
  setTimeout(() => controller.abort(new DOMException('too late', 'TimeoutError')), ms)
  return controller
}

/** A signal that also stops when `other` does. */
function following(controller: AbortController, other: AbortSignal | null | undefined): AbortSignal {
  if (other?.aborted) controller.abort(other.reason)
  other?.addEventListener('abort', () => controller.abort(other.reason), { once: true })
  return controller.signal
}

/**
 * Calls the server of the same origin; the answer is a good one.
 * Raises ApiError, also when the server cannot be reached (`unreachable`) or is too slow (`timeout`).
 */
export async function call(path: string, init: RequestInit = {}, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<Response> {
  const signal = following(timeout(timeoutMs), init.signal)
  let response: Response
  try {
    response = await fetch(path, { ...init, signal })
  } catch (error) {
    // Safari before 15.4 gives an AbortError whatever the reason.
    const late = error instanceof DOMException && signal.aborted
    throw late
      ? new ApiError('timeout', '等得太久了，请再试一次', 0)
      : new ApiError('unreachable', '连不上服务器，请看看网络', 0)
  }
  if (!response.ok) throw await failureOf(response)
  return response
}

/** Calls a JSON API and gives its answer. Raises what `call` raises. */
export async function callJson<T>(path: string, init: RequestInit = {}, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<T> {
  const text = await (await call(path, init, timeoutMs)).text()
  return (text ? JSON.parse(text) : undefined) as T
}

export function getJson<T>(path: string, timeoutMs?: number): Promise<T> {
  return callJson<T>(path, {}, timeoutMs)
}

export function postJson<T>(path: string, body: unknown = {}, timeoutMs?: number): Promise<T> {
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
  return callJson<T>(path, init, timeoutMs)
}
