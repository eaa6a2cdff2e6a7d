import { onScopeDispose, ref } from 'vue'

/** Whether there is room for five buttons only. */
export function useCompact() {
  const query = matchMedia('(max-width: 899px), (max-height: 499px)')
  const compact = ref(query.matches)
  const change = (event: MediaQueryListEvent) => (compact.value = event.matches)
  query.addEventListener('change', change)
  onScopeDispose(() => query.removeEventListener('change', change))
  return compact
}
