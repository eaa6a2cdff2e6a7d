const STATE_PREFIX = 'qiaoyi-login-'

/** Remembers with which `state` this tab went to WeChat's page. */
export function keepState(state: string): void {
  try {
    sessionStorage.setItem(STATE_PREFIX + state, 'asked')
  } catch {
    // see takeState
  }
}

/**
 * Whether this tab asked WeChat with `state`, once: an address that somebody else made leads nobody in under their name.
 * A browser that keeps nothing cannot tell, and is believed; the server still wants a `state` of its own making.
 */
export function takeState(state: string): boolean {
  try {
    const asked = sessionStorage.getItem(STATE_PREFIX + state) !== null
    sessionStorage.removeItem(STATE_PREFIX + state)
    return asked
  } catch {
    return true
  }
}
