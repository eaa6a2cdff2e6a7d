interface Connection extends EventTarget {
  type?: string
}

/** Calls `changed` when the way to the network may be another one, or the page is looked at again; gives the end of it. */
export function onNetworkChange(changed: () => void): () => void {
  const connection = (navigator as { connection?: Connection }).connection
  let type = connection?.type
  // The browser also tells of each new estimate of speed; only another kind of network is a change.
  const compare = () => {
    if (connection?.type === type) return
    type = connection?.type
    changed()
  }
  const look = () => document.visibilityState === 'visible' && changed()
  window.addEventListener('online', changed)
  window.addEventListener('offline', changed)
  connection?.addEventListener('change', compare)
  document.addEventListener('visibilitychange', look)
  return () => {
    window.removeEventListener('online', changed)
    window.removeEventListener('offline', changed)
    connection?.removeEventListener('change', compare)
    document.removeEventListener('visibilitychange', look)
  }
}

/** Keeps the screen on, where the browser can; gives the end of it. */
export function keepAwake(): () => void {
  let held: WakeLockSentinel | null = null
  let ended = false
  async function request() {
    try {
      held = await navigator.wakeLock.request('screen')
      if (ended) await held.release()
    } catch {
      // A low battery may refuse it; the call goes on.
    }
  }
  const hold = () => {
    if (document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return
    void request()
  }
  hold()
  document.addEventListener('visibilitychange', hold)
  return () => {
    ended = true
    document.removeEventListener('visibilitychange', hold)
    void held?.release()
  }
}
