/** JPEG-LS frames decoded by the browser: a quarter of the bytes on the line, and the server's cores left alone. */
export interface Order {
  id: number
  bytes: ArrayBuffer
}

export interface Answer {
  id: number
  /** Null where it is no JPEG-LS. */
  bytes: ArrayBuffer | null
  /** Of each sample: up to 8 in one byte, else in two. */
  bits: number
}

export interface Samples {
  bytes: ArrayBuffer
  bits: number
}

interface Waiting {
  done(samples: Samples): void
  fail(error: Error): void
}

const MOST_WORKERS = 2
/** A frame takes some 10 ms; what is damaged can keep the codec for ever. */
const LATE_MS = 20_000

const damaged = () => new RangeError('the frame is cut off')

/** Whether the end of the image is there: its marker, and at most one byte of padding (PS3.5 A.4). */
export function isWhole(bytes: ArrayBuffer): boolean {
  const tail = [...new Uint8Array(bytes.slice(-3))]
  return (tail[1] === 0xff && tail[2] === 0xd9) || (tail[0] === 0xff && tail[1] === 0xd9)
}

/** One worker, and what it is asked for. */
class Bench {
  private readonly waiting = new Map<number, Waiting>()
  private worker: Worker
  private last = 0
  readonly started: Promise<boolean>
  private tell: (isStarted: boolean) => void = () => undefined

  constructor() {
    this.started = new Promise((done) => (this.tell = done))
    this.worker = this.hire()
  }

  get load(): number {
    return this.waiting.size
  }

  decode(bytes: ArrayBuffer): Promise<Samples> {
    this.last += 1
    const id = this.last
    const late = setTimeout(() => this.replace(), LATE_MS)
    const decoded = new Promise<Samples>((done, fail) => this.waiting.set(id, { done, fail }))
    this.worker.postMessage({ id, bytes } satisfies Order, [bytes])
    return decoded.finally(() => clearTimeout(late))
  }

  close(): void {
    this.worker.terminate()
    for (const { fail } of this.waiting.values()) fail(damaged())
    this.waiting.clear()
  }

  private replace(): void {
    this.close()
    this.worker = this.hire()
  }

  private hire(): Worker {
    const worker = new Worker(new URL('./jls.worker.ts', import.meta.url), { type: 'module' })
    worker.addEventListener('error', () => this.tell(false))
    worker.addEventListener('message', ({ data }: MessageEvent<Answer | null | false>) => {
      if (data) this.finish(data)
      else this.tell(data === null)
    })
    return worker
  }

  private finish({ id, bytes, bits }: Answer): void {
    const order = this.waiting.get(id)
    this.waiting.delete(id)
    if (bytes) order?.done({ bytes, bits })
    else order?.fail(damaged())
  }
}

/** Decodes in some workers. Browsers without module workers or WebAssembly have none that starts: the server decodes. */
export class JlsDecoder {
  private readonly benches: Bench[] = []
  private readonly started: Promise<boolean>
  /** Until it is known that none starts. */
  mayStart = true

  constructor(count = Math.max(1, Math.min(MOST_WORKERS, (navigator.hardwareConcurrency || 2) - 1))) {
    try {
      for (let one = 0; one < count; one += 1) this.benches.push(new Bench())
      this.started = Promise.all(this.benches.map(({ started }) => started)).then((all) => all.every(Boolean))
    } catch {
      this.started = Promise.resolve(false)
    }
    void this.started.then((isStarted) => (this.mayStart = isStarted))
  }

  /** Whether frames can be decoded here. */
  isReady(): Promise<boolean> {
    return this.started
  }

  /** Raises RangeError where it is no JPEG-LS, or cut off. Takes `bytes` over. */
  async decode(bytes: ArrayBuffer): Promise<Samples> {
    if (!isWhole(bytes)) throw damaged()
    return this.benches.reduce((best, one) => (one.load < best.load ? one : best)).decode(bytes)
  }

  close(): void {
    for (const bench of this.benches) bench.close()
  }
}
