/** Where the first object of a JSON array ends, as far as `text` goes; -1 while it does not. */
export function endOfFirst(text: string): number {
  let depth = 0
  let isText = false
  for (let at = text.indexOf('{'); at >= 0 && at < text.length; at += 1) {
    const one = text[at]
    if (isText) {
      if (one === '\\') at += 1
      else if (one === '"') isText = false
    } else if (one === '"') isText = true
    else if (one === '{') depth += 1
    else if (one === '}') {
      depth -= 1
      if (!depth) return at + 1
    }
  }
  return -1
}

/** Reads a JSON array as it streams in; its first object is told as soon as it has come. */
export async function readArray(response: Response, onFirst: (first: unknown) => void): Promise<unknown> {
  const reader = response.body?.getReader()
  if (!reader) return response.json()
  const decoder = new TextDecoder()
  let text = ''
  let isTold = false
  for (;;) {
    const { done, value } = await reader.read()
    text += decoder.decode(value, { stream: !done })
    const end = isTold ? -1 : endOfFirst(text)
    if (end >= 0) {
      isTold = true
      onFirst(JSON.parse(text.slice(text.indexOf('{'), end)))
    }
    if (done) return JSON.parse(text)
  }
}
