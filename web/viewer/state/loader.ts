import { loadingOrder, thatFit } from './order'

/** How many requests run at once; the picture that is waited for gets one more. */
const PARALLEL = 4

export interface LoaderOptions<T> {
  count: number
  sizeAt(at: number): number
  /** Bytes that may be kept. */
  budget: number
  fetch(at: number, signal: AbortSignal): Promise<T>
  onLoaded(at: number): void
  onFailed(at: number, error: unknown): void
}

/**
 * Fetches the pictures of a stack, the nearest to the one in sight first, and keeps those that fit into the budget: what
 * is farthest away goes first. A request that no longer matters is stopped.
 */
export class StackLoader<T> {
  private readonly kept = new Map<number, T>()
  private readonly running = new Map<number, AbortController>()
  private readonly failed = new Set<number>()
  private wanted: number[] = []
  private at = 0
  private direction: 1 | -1 = 1
  private isClosed = false

  constructor(private readonly options: LoaderOptions<T>) {}

  get(at: number): T | undefined {
    return this.kept.get(at)
  }

  get loaded(): number {
    return this.kept.size
  }

  /** Turns to a picture; asks again for what failed. */
  focus(at: number): void {
    if (at !== this.at) this.direction = at > this.at ? 1 : -1
    this.at = at
    this.failed.clear()
    const { count, sizeAt, budget } = this.options
    this.wanted = thatFit(loadingOrder(at, count, this.direction), sizeAt, budget)
    const near = new Set(this.wanted.slice(0, 2 * PARALLEL))
    for (const [one, request] of this.running) if (!near.has(one)) request.abort()
    this.pump()
  }

  close(): void {
    this.isClosed = true
    for (const request of this.running.values()) request.abort()
    this.kept.clear()
  }

  private pump(): void {
    if (this.isClosed) return
    for (const one of this.wanted) {
      const limit = one === this.at ? PARALLEL + 1 : PARALLEL
      if (this.running.size >= limit) break
      if (!this.kept.has(one) && !this.running.has(one) && !this.failed.has(one)) void this.load(one)
    }
  }

  private async load(one: number): Promise<void> {
    const request = new AbortController()
    this.running.set(one, request)
    try {
      const loaded = await this.options.fetch(one, request.signal)
      if (!this.isClosed) this.keep(one, loaded)
    } catch (error) {
      if (!request.signal.aborted) {
        this.failed.add(one)
        this.options.onFailed(one, error)
      }
    } finally {
      this.running.delete(one)
      this.pump()
    }
  }

  private keep(one: number, loaded: T): void {
    this.kept.set(one, loaded)
    const stays = new Set(this.wanted)
    for (const other of this.kept.keys()) if (!stays.has(other)) this.kept.delete(other)
    if (this.kept.has(one)) this.options.onLoaded(one)
  }
}
