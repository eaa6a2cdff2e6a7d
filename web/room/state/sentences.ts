import type { ApiError } from '../../shared/http'
import type { DeviceFault } from './devices'
import type { LocalSource } from './local'
import { inWeChat, isPhone } from './surroundings'

/** What a person reads when they cannot go on, and the one thing they can press. */
export interface Notice {
  code: string
  title: string
  text: string
  /** `enter`: into the room again; `login`: begin from who opens the page; null: nothing is to be pressed; `recordings`: see it again. */
  action: { kind: 'enter' | 'login' | 'recordings'; label: string } | null
}

const enter = (label: string) => ({ kind: 'enter', label }) as const
const login = (label: string) => ({ kind: 'login', label }) as const

const NOTICES: Record<string, Omit<Notice, 'code'>> = {
  over: { title: '会诊已经结束', text: '谢谢您参加。会诊的意见会发到微信里，请留意。', action: null },
  room_closed: { title: '会诊已经结束', text: '诊室已经关门了。会诊的意见在微信里可以看到。', action: null },
  room_recorded: { title: '会诊已经结束', text: '诊室已经关门了。这次会诊录了像，可以回看。', action: { kind: 'recordings', label: '看录像' } },
  left: { title: '您已离开会诊', text: '会诊还没有结束的话，随时可以再进来。', action: enter('再进诊室') },
  refused: { title: '医生现在没有请您进来', text: '可能还在和别人商量。过一会儿可以再试，也可以在微信里给医生留言。', action: enter('再请医生开门') },
  other_device: { title: '您已在另一台设备上参加', text: '同一个人只能用一台设备。想换回这一台，请点下面的按钮。', action: enter('改用这一台') },
  full: { title: '诊室里的人已经满了', text: '请等一位离开以后再进来。', action: enter('再试一次') },
  not_found: { title: '没有找到这次会诊', text: '只有参加会诊的人可以进来。请用收到卡片的那个微信，从卡片重新打开。', action: login('再试一次') },
  consent_required: { title: '还差一步：同意会诊', text: '请先回到微信聊天，按提示同意这次会诊，再打开卡片。', action: enter('我已经同意了') },
  login: { title: '没有认出您是谁', text: '请再试一次。还是不行的话，请回到微信，从卡片重新打开。', action: login('再试一次') },
  unreachable: { title: '连不上诊室', text: '请看看手机的网络是否打开，再试一次。', action: login('再试一次') },
  trouble: { title: '诊室出了点问题', text: '请再试一次。还是不行的话，请在微信里告诉医生。', action: enter('再试一次') },
}

export function noticeFor(code: string): Notice {
  const known = Object.prototype.hasOwnProperty.call(NOTICES, code) ? NOTICES[code] : undefined
  return { code, ...(known ?? (NOTICES.trouble as Omit<Notice, 'code'>)) }
}

/** For a refused call: our own sentence where we know the code, else the server's. */
export function noticeForError(error: ApiError): Notice {
  if (Object.prototype.hasOwnProperty.call(NOTICES, error.code)) return noticeFor(error.code)
  if (error.code === 'timeout' || error.status >= 500) return { ...noticeFor('unreachable'), code: error.code }
  return { ...noticeFor('trouble'), code: error.code, text: error.message }
}

const ALLOW = inWeChat && isPhone
  ? '请打开手机的“设置”，找到“微信”，允许使用“相机”和“麦克风”，再回来点“再试一次”。'
  : '请点浏览器地址栏左边的小图标，把“摄像头”和“麦克风”都改成“允许”，再点“再试一次”。'

/** The others always concern both. */
const FAULTS: Partial<Record<DeviceFault, Record<LocalSource, string>>> = {
  denied: { camera: `还没有得到使用摄像头的允许。${ALLOW}`, audio: `还没有得到使用麦克风的允许。${ALLOW}` },
  none: {
    camera: '没有找到摄像头。没关系，只用声音也可以会诊。',
    audio: '没有找到麦克风，别人听不到您。请插上耳机或麦克风，再点“再试一次”；也可以进去打字。',
  },
  busy: {
    camera: '摄像头正被别的程序用着，比如视频通话。请先关掉它，再点“再试一次”。',
    audio: '麦克风正被别的程序用着，比如正在打电话。请先挂断，再点“再试一次”。',
  },
}

export function deviceSentence(source: LocalSource, fault: DeviceFault): string {
  return FAULTS[fault]?.[source] ?? bothSentence(fault)
}

const BOTH: Record<DeviceFault, string> = {
  denied: `还没有得到使用摄像头和麦克风的允许。${ALLOW}`,
  none: '没有找到摄像头和麦克风，别人看不到、也听不到您。您可以先进去看和听，也可以打字。',
  busy: '摄像头和麦克风正被别的程序用着，比如正在通话。请先关掉它，再点“再试一次”。',
  insecure: '这个网址不是 https 开头，浏览器不让用摄像头和麦克风。请从微信里的卡片打开。',
  too_old: '这个浏览器太旧，不能视频。请更新微信，或者换一台手机、电脑。',
}

/** The same is wrong with camera and microphone. */
export function bothSentence(fault: DeviceFault): string {
  return BOTH[fault]
}

export const STOPPED: Record<LocalSource, string> = {
  camera: '摄像头停了，可能是来电话了。',
  audio: '麦克风停了，可能是来电话了。',
}

const ERRORS: Record<string, string> = {
  full: '诊室里的人已经满了，现在不能再请人进来。',
  recording_unavailable: '这里现在不能录像。会诊照常进行。',
  recording_failed: '录像出了问题，已经停止。会诊照常进行。',
}

/** What a person should know of an error that the room tells; empty where only the page is concerned. */
export function errorSentence(code: string): string {
  return (Object.prototype.hasOwnProperty.call(ERRORS, code) && ERRORS[code]) || ''
}

/** Why the room is not reached yet, while the page goes on trying. */
export function waitingSentence(error: ApiError | null): string {
  if (error?.code === 'room_busy') return '诊室正忙，马上会自动再试，请稍等。'
  return error && error.code !== 'unreachable' && error.code !== 'timeout' && error.status < 500
    ? error.message
    : '网络断了，正在重新连接…'
}

const NETWORKS = { 4: '网络很好', 3: '网络不错', 2: '网络较差', 1: '网络很差' } as const

export function networkWord(network: 1 | 2 | 3 | 4): string {
  return NETWORKS[network]
}
