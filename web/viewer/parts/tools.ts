import type { icons } from '../../shared/icons'
import type { Tool } from '../state/viewer'

interface ToolChoice {
  tool: Tool
  label: string
  icon: keyof typeof icons
}

export const HAND_TOOLS: ToolChoice[] = [
  { tool: 'scroll', label: '翻看', icon: 'stack' },
  { tool: 'window', label: '调窗', icon: 'contrast' },
  { tool: 'zoom', label: '缩放', icon: 'zoom' },
  { tool: 'pan', label: '移动', icon: 'move' },
]

export const MEASURES: ToolChoice[] = [
  { tool: 'length', label: '长度', icon: 'ruler' },
  { tool: 'angle', label: '角度', icon: 'angle' },
  { tool: 'rectangle', label: '矩形', icon: 'rectangle' },
  { tool: 'ellipse', label: '椭圆', icon: 'ellipse' },
]

/** What to do with the chosen tool; empty where that goes without saying. */
export const HINTS: Partial<Record<Tool, string>> = {
  window: '左右拖调窗宽，上下拖调窗位',
  length: '从一头拖到另一头',
  angle: '先拖出一条边，再点另一条边的一头',
  rectangle: '拖出一个方框',
  ellipse: '拖出一个圆圈',
}
