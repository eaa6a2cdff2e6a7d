import { onScopeDispose, ref } from 'vue'

export type Connection = 'connecting' | 'online' | 'offline'

interface Handlers {
  /** Called each time the stream opens: what was missed meanwhile must be fetched. */
  opened: () => void
  event: (data: Record<string, unknown>) => void
}

const NAMES = ['message', 'clock', 'menu', 'phone']
const RETRY_MS = 2000

/** The sandbox's event stream; opens again by itself, closes with the owning scope. */
export function useStream(path: string, handlers: Handlers) {
  const connection = ref<Connection>('connecting')
  let source: EventSource | null = null
  let retry: ReturnType<typeof setTimeout> | undefined

  function receive(event: MessageEvent<string>) {
    let data: unknown
    try {
      data = JSON.parse(event.data)
    } catch {
      return // a broken event is dropped; the next opening fetches what it may have held
    }
    if (typeof data === 'object' && data !== null) handlers.event(data as Record<string, unknown>)
  }

  function open() {
    source = new EventSource(path)
    for (const name of NAMES) source.addEventListener(name, receive)
    source.addEventListener('open', () => {
      connection.value = 'online'
      handlers.opened()
    })
    source.addEventListener('error', () => {
      connection.value = 'offline'
      // The browser retries by itself unless the server refused the stream.
      if (source?.readyState === EventSource.CLOSED) retry = setTimeout(open, RETRY_MS)
    })
  }

  open()
  onScopeDispose(() => {
    clearTimeout(retry)
    source?.close()
  })
  return connection
}
