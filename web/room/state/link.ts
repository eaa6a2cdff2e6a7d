import { ApiError } from '../../shared/http'
import { RoomSocket } from './socket'
import type { PageMessage, Pass, ServerMessage } from './types'

const AGAIN_MS = 1000
const JITTER_MS = 500
const BUSY_MS = 2000
/** Ends that say nothing of this page: its process ends, or takes no more; a new pass leads to another one. */
const ELSEWHERE = new Set(['moving', 'closing', 'busy'])
/** Ends after which a new pass may help, and how many of them in a row are taken for a fault that will not pass. */
const PASSING = new Set(['token_forged', 'token_expired', 'token_used', 'malformed', 'slow', 'flood', 'faults'])
const FAULTS_MOST = 8

export interface LinkHandlers {
  fetchPass: () => Promise<Pass>
  message: (message: ServerMessage) => void
  /** The connection is gone, or was never there; a new one is being made. `error` says why a pass was not given. */
  lost: (error: ApiError | null) => void
  /** It makes no sense to go on: the pass was refused. */
  refused: (error: ApiError) => void
  /** It makes no sense to go on: the room said so. */
  closed: (code: string) => void
}

/** Holds on to the room: a WebSocket, and whenever it is lost a new pass and the next one, until `stop`. */
export class Link {
  private readonly handlers: LinkHandlers
  private socket: RoomSocket | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private attempt = 0
  private faults = 0
  /** Whether the room has answered on the present connection: only then is it worth coming back at once. */
  private isUp = false

  constructor(handlers: LinkHandlers) {
    this.handlers = handlers
    void this.open()
  }

  send(message: PageMessage): boolean {
    return this.socket?.send(message) ?? false
  }

  /** The network may have changed: find out whether the room still answers. */
  probe(): void {
    if (this.socket) this.socket.probe()
    else this.again(0)
  }

  stop(): void {
    this.attempt += 1
    clearTimeout(this.timer)
    this.socket?.send({ kind: 'leave' })
    this.socket?.close()
    this.socket = null
  }

  private async open(): Promise<void> {
    const attempt = ++this.attempt
    try {
      const pass = await this.handlers.fetchPass()
      if (attempt === this.attempt) this.connect(pass)
    } catch (error) {
      if (attempt === this.attempt) this.notAdmitted(error)
    }
  }

  private connect(pass: Pass): void {
    this.isUp = false
    this.socket = new RoomSocket(pass.url, pass.token, {
      message: (message) => {
        this.isUp = true
        if (message.kind === 'joined' || message.kind === 'waiting') this.faults = 0
        this.handlers.message(message)
      },
      closed: (code) => this.wasClosed(code),
      lost: () => this.wasLost(),
    })
  }

  private notAdmitted(error: unknown): void {
    const known = error instanceof ApiError ? error : new ApiError('page', '页面出了点问题，请重新打开', 0)
    const passing = known.status >= 500 || known.code === 'unreachable' || known.code === 'timeout' || known.status === 429
    if (!passing) {
      this.handlers.refused(known)
      return
    }
    this.handlers.lost(known)
    this.again(known.retryAfterMs ?? (known.code === 'room_busy' ? BUSY_MS : AGAIN_MS))
  }

  private wasClosed(code: string): void {
    this.socket = null
    if (!ELSEWHERE.has(code) && (!PASSING.has(code) || ++this.faults > FAULTS_MOST)) {
      this.handlers.closed(code)
      return
    }
    this.handlers.lost(null)
    this.again(ELSEWHERE.has(code) && this.isUp ? 0 : AGAIN_MS)
  }

  private wasLost(): void {
    this.socket = null
    this.handlers.lost(null)
    this.again(this.isUp ? 0 : AGAIN_MS)
  }

  /** Asks again after `ms`, at once for 0; with jitter, so that a room's pages do not all come at the same moment. */
  private again(ms: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.open(), ms === 0 ? 0 : ms + Math.random() * JITTER_MS)
  }
}
