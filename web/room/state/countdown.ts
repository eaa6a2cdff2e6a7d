/** How long until something, in words: 2 小时 5 分钟 / 12 分钟 / 40 秒. */
export function untilText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  if (seconds < 60) return `${seconds} 秒`
  const minutes = Math.ceil(seconds / 60)
  if (minutes < 60) return `${minutes} 分钟`
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60]
  if (hours >= 48) return `${Math.round(hours / 24)} 天`
  return rest ? `${hours} 小时 ${rest} 分钟` : `${hours} 小时`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

/** How long something has gone on: 4:05 or 1:04:05. */
export function lastedText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}
