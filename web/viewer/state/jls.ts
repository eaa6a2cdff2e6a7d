/** JPEG-LS frames decoded by the browser: a fifth of the bytes on the line, and the server's cores left alone. */
export interface Order {
  id: number
  bytes: ArrayBuffer
}

export interface Answer {
  id: number
  /** Null where it is no JPEG-LS, or cut off. */
  bytes: ArrayBuffer | null
  /** Of each sample: up to 8 in one byte, else in two. */
  bits: number
}

export interface Samples {
  bytes: ArrayBuffer
  bits: number
}

interface Waiting {
  worker: number
  done(samples: Samples): void
  fail(error: Error): void
}

const MOST_WORKERS = 2

/** Workers that decode; none where this browser starts none, and the server has to decode. */
export class JlsDecoder {
  private readonly workers: Worker[] = []
  private readonly waiting = new Map<number, Waiting>()
  private last = 0
  private readonly started: Promise<boolean>

  constructor(count = Math.max(1, Math.min(MOST_WORKERS, (navigator.hardwareConcurrency || 2) - 1))) {
    this.started = Promise.all(Array.from({ length: count }, () => this.start())).then((all) => all.every(Boolean), () => false)
  }

  /** Whether frames can be decoded here. */
  isReady(): Promise<boolean> {
    return this.started
  }

  /** Raises RangeError where it is no JPEG-LS, or cut off. Takes `bytes` over. */
  decode(bytes: ArrayBuffer): Promise<Samples> {
    const load = this.workers.map((_one, at) => [...this.waiting.values()].filter(({ worker }) => worker === at).length)
    const worker = load.indexOf(Math.min(...load))
    this.last += 1
    const id = this.last
    return new Promise((done, fail) => {
      this.waiting.set(id, { worker, done, fail })
      this.workers[worker]?.postMessage({ id, bytes } satisfies Order, [bytes])
    })
  }

  close(): void {
    for (const worker of this.workers) worker.terminate()
    this.waiting.clear()
  }

  private start(): Promise<boolean> {
    return new Promise((done) => {
      // Browsers without module workers, and pages without WebAssembly, get decoded frames.
      const worker = new Worker(new URL('./jls.worker.ts', import.meta.url), { type: 'module' })
      this.workers.push(worker)
      worker.addEventListener('error', () => done(false))
      worker.addEventListener('message', ({ data }: MessageEvent<Answer | null | false>) => {
        if (data) this.finish(data)
        else done(data === null)
      })
    })
  }

  private finish({ id, bytes, bits }: Answer): void {
    const order = this.waiting.get(id)
    this.waiting.delete(id)
    if (bytes) order?.done({ bytes, bits })
    else order?.fail(new RangeError('the frame is cut off'))
  }
}
