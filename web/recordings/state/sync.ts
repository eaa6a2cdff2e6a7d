/** Keeps several players on one clock. What a player is asked to do is decided here, without touching one. */

/** As far as a player may be from the common clock before it is set right, in seconds: less than eye and ear notice. */
export const APART_MOST = 0.25

/** Of a player: what of the recording it holds, where it stands, and whether it could go on; seconds. */
export interface Player {
  begins: number
  duration: number
  at: number
  isReady: boolean
}

export interface Order {
  /** Where to go first; null: stay. */
  seek: number | null
  run: boolean
}

/** Whether a player has something to show at `time` of the recording. */
export function holds(player: Pick<Player, 'begins' | 'duration'>, time: number): boolean {
  return time >= player.begins && time < player.begins + player.duration
}

/** Whether the common clock has to stand still, because somebody who is to be seen now is still being fetched. */
export function mustWait(players: Player[], time: number): boolean {
  return players.some((player) => holds(player, time) && !player.isReady)
}

/** What a player has to do so that it shows `time`; `playing` says whether the common clock runs. */
export function order(player: Player, time: number, playing: boolean): Order {
  const shown = holds(player, time)
  const wanted = Math.min(Math.max(time - player.begins, 0), player.duration)
  const apart = Math.abs(player.at - wanted)
  const most = playing ? APART_MOST : 0.05
  return { seek: shown && apart > most ? wanted : null, run: shown && playing }
}

/** 3:07, or 1:03:07. */
export function clockFace(seconds: number): string {
  const whole = Math.floor(Math.max(0, seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const tail = `${minutes}:${String(rest).padStart(2, '0')}`
  return hours ? `${hours}:${tail.padStart(5, '0')}` : tail
}

/** 3分7秒, for reading out. */
export function spoken(seconds: number): string {
  const whole = Math.floor(Math.max(0, seconds))
  const parts = [[Math.floor(whole / 3600), '小时'], [Math.floor(whole / 60) % 60, '分'], [whole % 60, '秒']] as const
  return parts.filter(([count]) => count).map(([count, unit]) => `${count}${unit}`).join('') || '0秒'
}
