import { toSegments } from '../../shared/richtext'
import type { Message } from './types'

function plain(text: string): string {
  return toSegments(text)
    .map((segment) => segment.text)
    .join('')
    .replace(/\s+/gu, ' ')
}

/** One line for the chat list and for screen readers. */
export function previewOf(message: Message): string {
  switch (message.kind) {
    case 'text':
    case 'notice':
      return plain(message.text)
    case 'menu':
      return plain(message.text)
    case 'image':
      return '[图片]'
    case 'voice':
      return `[语音] ${message.text}`.trim()
    case 'news':
      return `[链接] ${message.title}`
    case 'template':
    case 'subscribe':
      return message.title
    case 'miniprogrampage':
      return `[小程序] ${message.title}`
    case 'location':
      return `[位置] ${message.label}`.trim()
    default:
      return '[暂不支持的消息]'
  }
}

/** Everything a message says, for the live region: a menu with its choices, a card with its rows. */
export function spokenOf(message: Message): string {
  const head = previewOf(message)
  if (message.kind === 'menu') return [head, ...message.items.map((item) => item.text), message.tail].filter(Boolean).join('；')
  if (message.kind === 'template' || message.kind === 'subscribe') {
    return [head, ...message.fields.map((field) => `${field.label} ${field.value}`)].join('；')
  }
  return head
}
