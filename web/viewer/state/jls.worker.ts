import createCharLs from '@cornerstonejs/codec-charls/decodewasmjs'
import wasm from '@cornerstonejs/codec-charls/decodewasm?url'
import type { Answer, Order } from './jls'

/** Decodes JPEG-LS (ISO/IEC 14495-1) by CharLS, beside the page. It says null once it can, false where it cannot. */
const scope = globalThis as unknown as Worker
const library = createCharLs({ locateFile: () => wasm })
const say = (what: Answer | null | false, transfer: Transferable[] = []) => scope.postMessage(what, { transfer })

library.then(() => say(null), () => say(false))

scope.addEventListener('message', async ({ data: { id, bytes } }: MessageEvent<Order>) => {
  const decoder = new (await library).JpegLSDecoder()
  try {
    decoder.getEncodedBuffer(bytes.byteLength).set(new Uint8Array(bytes))
    decoder.decode()
    const { bitsPerSample } = decoder.getFrameInfo()
    const { buffer } = decoder.getDecodedBuffer().slice()
    say({ id, bytes: buffer as ArrayBuffer, bits: bitsPerSample }, [buffer])
  } catch {
    say({ id, bytes: null, bits: 0 })
  } finally {
    decoder.delete()
  }
})
