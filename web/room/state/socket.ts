import { parseMessage } from './parse'
import type { PageMessage, ServerMessage } from './types'

const TICK_MS = 500
const PING_MS = 2000
const SILENCE_MS = 4000
const OPENING_MS = 8000
const PROBE_MS = 2000
/** A tick that comes so late says that the page was asleep: silence meanwhile is nobody's fault. */
const ASLEEP_MS = 2500

export interface SocketHandlers {
  message: (message: ServerMessage) => void
  /** The room closed this page and said why. Called at most once, and then never `lost`. */
  closed: (code: string) => void
  /** The connection is gone, or silent for too long. */
  lost: () => void
}

/** One WebSocket of a room, from the join to its end. Asks every two seconds whether the room still answers. */
export class RoomSocket {
  private readonly socket: WebSocket
  private readonly handlers: SocketHandlers
  private readonly timer: ReturnType<typeof setInterval>
  private ended = false
  private lastTick = Date.now()
  private lastPing = Date.now()
  /** When silence becomes a loss; null while nothing is asked. */
  private deadline: number | null = Date.now() + OPENING_MS

  constructor(url: string, token: string, handlers: SocketHandlers) {
    this.handlers = handlers
    this.socket = new WebSocket(url)
    this.socket.addEventListener('open', () => this.send({ kind: 'join', version: 1, token }))
    this.socket.addEventListener('message', (event: MessageEvent<unknown>) => this.receive(event.data))
    this.socket.addEventListener('close', () => this.lose())
    this.timer = setInterval(() => this.tick(), TICK_MS)
  }

  /** Says it if the connection is open; false where it is not. */
  send(message: PageMessage): boolean {
    if (this.socket.readyState !== WebSocket.OPEN) return false
    this.socket.send(JSON.stringify(message))
    return true
  }

  /** The network may have changed: wait for an answer for a short while only. */
  probe(): void {
    this.ping(PROBE_MS)
  }

  /** Ends without a word to the handlers. */
  close(): void {
    this.ended = true
    clearInterval(this.timer)
    this.socket.close()
  }

  private receive(data: unknown): void {
    if (this.ended) return
    this.deadline = null
    const message = parseMessage(data)
    if (message === null || message.kind === 'pong') return
    if (message.kind === 'closed') {
      this.close()
      this.handlers.closed(message.code)
    } else {
      this.handlers.message(message)
    }
  }

  private tick(): void {
    const now = Date.now()
    const asleep = now - this.lastTick > ASLEEP_MS
    this.lastTick = now
    if (asleep) this.ping(PROBE_MS)
    else if (this.deadline !== null && now > this.deadline) this.lose()
    else if (this.deadline === null && now - this.lastPing >= PING_MS) this.ping(SILENCE_MS)
  }

  private ping(patience: number): void {
    this.lastPing = Date.now()
    this.deadline = this.lastPing + patience
    this.send({ kind: 'ping' })
  }

  private lose(): void {
    if (this.ended) return
    this.close()
    this.handlers.lost()
  }
}
