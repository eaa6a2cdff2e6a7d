import { computed, onScopeDispose, ref } from 'vue'

/** The sandbox clock, ticking here between the times the sandbox tells it. */
export function useSandboxClock() {
  const offset = ref(0)
  const wall = ref(Date.now())
  const timer = setInterval(() => (wall.value = Date.now()), 1000)
  onScopeDispose(() => clearInterval(timer))

  return {
    now: computed(() => wall.value + offset.value),
    /** How far the sandbox is ahead of the wall clock, in milliseconds (0 when within two seconds). */
    ahead: computed(() => (Math.abs(offset.value) < 2000 ? 0 : offset.value)),
    set(now: number | null) {
      if (now === null) return
      wall.value = Date.now()
      offset.value = now - wall.value
    },
  }
}

/** 快了 1 天 2 小时 / 快了 10 分钟, or an empty string. */
export function aheadText(ahead: number): string {
  const minutes = Math.round(Math.abs(ahead) / 60_000)
  if (minutes === 0) return ''
  const parts = [
    [Math.floor(minutes / 1440), '天'],
    [Math.floor((minutes % 1440) / 60), '小时'],
    [minutes % 60, '分钟'],
  ] as const
  const words = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`)
  return `${ahead > 0 ? '快' : '慢'}了 ${words.join(' ')}`
}
