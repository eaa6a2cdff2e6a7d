/** Which renderer suits this device. `?renderer=canvas` or `?renderer=gpu` forces one, for tests and support. */
export type Way = 'canvas' | 'gpu'

const KEY = 'qiaoyi-viewer-renderer'
const ENOUGH_GIGABYTES = 8
const ENOUGH_CORES = 8
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i

/** Keeps what the address says for this tab: a login leads to the address without it. */
export function keepForced(): void {
  const said = new URLSearchParams(location.search).get('renderer')
  try {
    if (said) sessionStorage.setItem(KEY, said)
  } catch {
    // the page chooses by itself
  }
}

function forced(): Way | null {
  try {
    const kept = sessionStorage.getItem(KEY)
    return kept === 'canvas' || kept === 'gpu' ? kept : null
  } catch {
    return null
  }
}

/** WebGL 2 on a real graphics chip: one that the processor plays is slower than the canvas. */
function hasGpu(): boolean {
  const gl = document.createElement('canvas').getContext('webgl2')
  if (!gl) return false
  const names = gl.getExtension('WEBGL_debug_renderer_info')
  const chip = String(gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER))
  gl.getExtension('WEBGL_lose_context')?.loseContext()
  return !SOFTWARE.test(chip)
}

/** A computer, or a phone as strong as one. */
function isStrong(): boolean {
  const gigabytes = (navigator as Navigator & { deviceMemory?: number }).deviceMemory
  const isComputer = matchMedia('(hover: hover) and (pointer: fine)').matches
  if (gigabytes !== undefined && gigabytes < ENOUGH_GIGABYTES) return false
  return isComputer || (gigabytes !== undefined && navigator.hardwareConcurrency >= ENOUGH_CORES)
}

export function chooseRenderer(): Way {
  return forced() ?? (isStrong() && hasGpu() ? 'gpu' : 'canvas')
}
