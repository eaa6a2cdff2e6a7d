import { type DetailedError, Upload } from 'tus-js-client'
import { ApiError } from '../../shared/http'
import { isRaw, text } from '../../shared/raw'
import type { StudiesClient } from './client'
import { fingerprintOf } from './fingerprint'
import { PACK_BYTES, packOf } from './plan'
import type { Chosen, Refused, Unit } from './types'
import { zip } from './zip'

const UNREADABLE = '读不出来，光盘可能有划痕，或者文件已经移走。请看看能不能打开，再选一次'

const NOT_FOUND = 404
const CONFLICT = 409

interface Sending {
  client: StudiesClient
  batch: string
  signal: AbortSignal
  onSent: (bytes: number) => void
}

/** What the server said of a request that failed; an error without an answer is of the network. */
function failure(error: Error | DetailedError): ApiError {
  const response = 'originalResponse' in error ? error.originalResponse : null
  if (!response) return new ApiError('unreachable', '连不上服务器，请看看网络', 0)
  let body: unknown = null
  try {
    body = JSON.parse(response.getBody())
  } catch {
    // HEAD has none, and what stands between may answer anything
  }
  const said = isRaw(body) ? body : {}
  const status = response.getStatus()
  // It was removed meanwhile, which beginning it anew mends.
  return new ApiError(text(said.code), text(said.message) || '没有成功，请再试一次', status === NOT_FOUND ? CONFLICT : status)
}

/** Sends `content` on to `url` from where it stands there. Raises ApiError. */
function sendOn(url: string, content: Blob, { client, signal, onSent }: Sending): Promise<void> {
  return new Promise((resolve, reject) => {
    const upload = new Upload(content, {
      uploadUrl: url,
      chunkSize: PACK_BYTES,
      retryDelays: null,
      storeFingerprintForResuming: false,
      headers: client.authorization,
      onProgress: onSent,
      onSuccess: () => resolve(),
      onError: (error) => reject(failure(error)),
    })
    signal.addEventListener('abort', () => void upload.abort().finally(() => reject(signal.reason)), { once: true })
    upload.start()
  })
}

/** Reads the files of a pack; those that cannot be read are given with why. */
async function read(files: Chosen[]): Promise<{ whole: { path: string; bytes: Uint8Array<ArrayBuffer>; chosen: Chosen }[]; unreadable: Refused[] }> {
  const whole: { path: string; bytes: Uint8Array<ArrayBuffer>; chosen: Chosen }[] = []
  const unreadable: Refused[] = []
  for (const chosen of files) {
    try {
      whole.push({ path: chosen.path, bytes: new Uint8Array(await chosen.file.arrayBuffer()), chosen })
    } catch {
      unreadable.push({ name: chosen.path, words: UNREADABLE })
    }
  }
  return { whole, unreadable }
}

/**
 * Sends a unit, unless it is there already; gives the files of it that could not be read.
 * Raises ApiError, and what `signal` was aborted with.
 */
export async function sendUnit(unit: Unit, sending: Sending): Promise<Refused[]> {
  const { client, batch, signal, onSent } = sending
  let fingerprint = ''
  try {
    fingerprint = await fingerprintOf(unit)
  } catch {
    return unit.files.map(({ path }) => ({ name: path, words: UNREADABLE }))
  }
  const { url, offset } = await client.begin({ batch, fingerprint, name: unit.name, size: unit.size }, signal)
  onSent(offset)
  if (offset === unit.size) return []
  const [first] = unit.files
  if (!unit.packed && first) {
    await sendOn(url, first.file, sending)
    return []
  }
  const { whole, unreadable } = await read(unit.files)
  if (!unreadable.length) {
    await sendOn(url, zip(whole), sending)
    return []
  }
  // Without what cannot be read it is another content: should that be read one day, it is sent then.
  await client.drop(url)
  const rest = whole.length ? await sendUnit(packOf(whole.map(({ chosen }) => chosen)), sending) : []
  return [...unreadable, ...rest]
}

