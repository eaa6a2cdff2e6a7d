/**
 * What a page keeps for a reload: in sessionStorage, under a random number that stands after `#`. Several pages in one tab
 * (the phones of the desk) share that storage and are told apart by their numbers.
 */
function keyIn(hash: string, prefix: string): string | null {
  return /^#\d{6,}$/.test(hash) ? prefix + hash.slice(1) : null
}

function newNumber(): string {
  const [first = 0, second = 0] = crypto.getRandomValues(new Uint32Array(2))
  return `${first}${second}`.padStart(6, '0')
}

/** What this page kept; null where it kept nothing, or may not keep anything. */
export function readKept(prefix: string): unknown {
  const key = keyIn(location.hash, prefix)
  try {
    return JSON.parse((key && sessionStorage.getItem(key)) || 'null')
  } catch {
    return null
  }
}

/** Keeps `value`, and gives the address `path` with the number under which the page there finds it. */
export function keptAddress(prefix: string, value: unknown, path: string): string {
  const key = keyIn(location.hash, prefix) ?? prefix + newNumber()
  try {
    sessionStorage.setItem(key, JSON.stringify(value))
  } catch {
    // A browser that keeps nothing asks again after a reload; the page itself works.
  }
  return `${path}#${key.slice(prefix.length)}`
}

/** Keeps `value`, and makes the address `path` with the number: without code and state of a login. */
export function keep(prefix: string, value: unknown, path: string): void {
  history.replaceState(null, '', keptAddress(prefix, value, path))
}

export function forget(prefix: string): void {
  const key = keyIn(location.hash, prefix)
  try {
    if (key) sessionStorage.removeItem(key)
  } catch {
    // there was nothing to forget
  }
}
