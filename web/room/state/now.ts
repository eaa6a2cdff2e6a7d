import { onScopeDispose, ref } from 'vue'

/** The present moment in epoch milliseconds, renewed each second. */
export function useNow() {
  const now = ref(Date.now())
  const ticking = setInterval(() => (now.value = Date.now()), 1000)
  onScopeDispose(() => clearInterval(ticking))
  return now
}
