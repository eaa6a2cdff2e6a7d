/** One part of an answer: its media type and its bytes, which begin their buffer. */
export interface Part {
  type: string
  bytes: ArrayBuffer
}

const HEAD_LIMIT = 4096

function indexOf(bytes: Uint8Array, text: string, from: number, until: number): number {
  for (let at = from; at + text.length <= until; at += 1) {
    let same = 0
    while (same < text.length && bytes[at + same] === text.charCodeAt(same)) same += 1
    if (same === text.length) return at
  }
  return -1
}

/** Where the delimiter that closes the only part begins: the last one, found from the end. */
function lastIndexOf(bytes: Uint8Array, text: string): number {
  for (let at = bytes.length - text.length; at >= 0; at -= 1) {
    if (indexOf(bytes, text, at, at + text.length) === at) return at
  }
  return -1
}

/**
 * The part of a multipart/related answer that has one (RFC 2046, RFC 2387); an answer of another type is the part itself.
 * Raises RangeError where the answer is cut off.
 */
export function onlyPart(contentType: string, body: ArrayBuffer): Part {
  if (!/^multipart\//i.test(contentType)) return { type: contentType, bytes: body }
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1] ?? ''
  const bytes = new Uint8Array(body)
  const start = indexOf(bytes, `--${boundary}\r\n`, 0, Math.min(bytes.length, HEAD_LIMIT))
  const head = indexOf(bytes, '\r\n\r\n', start, Math.min(bytes.length, start + HEAD_LIMIT))
  const end = lastIndexOf(bytes, `\r\n--${boundary}--`)
  if (!boundary || start < 0 || head < 0 || end < head + 4) throw new RangeError('the answer is cut off')
  const headers = new TextDecoder('latin1').decode(bytes.subarray(start, head))
  return { type: /^content-type:\s*([^\r\n]+)/im.exec(headers)?.[1] ?? '', bytes: body.slice(head + 4, end) }
}
