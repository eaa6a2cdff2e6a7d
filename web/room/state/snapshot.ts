/** The most that the server takes. */
export const SNAPSHOT_BYTES_MOST = 2 * 1024 * 1024
const QUALITIES = [0.92, 0.85, 0.75, 0.6]

/** What the picture shows now, with its own lines and columns; null while it shows nothing. */
export function stillOf(video: HTMLVideoElement): HTMLCanvasElement | null {
  if (!video.videoWidth || !video.videoHeight) return null
  const still = document.createElement('canvas')
  still.width = video.videoWidth
  still.height = video.videoHeight
  still.getContext('2d')?.drawImage(video, 0, 0)
  return still
}

function encoded(still: HTMLCanvasElement, quality: number): Promise<Blob | null> {
  return new Promise((resolve) => still.toBlob(resolve, 'image/jpeg', quality))
}

/** A JPEG of at most two MiB, the best that fits; null where the browser makes none. */
export async function jpegOf(still: HTMLCanvasElement): Promise<Blob | null> {
  for (const quality of QUALITIES) {
    const picture = await encoded(still, quality)
    if (picture === null || picture.size <= SNAPSHOT_BYTES_MOST) return picture
  }
  const smaller = document.createElement('canvas')
  smaller.width = Math.ceil(still.width / 2)
  smaller.height = Math.ceil(still.height / 2)
  smaller.getContext('2d')?.drawImage(still, 0, 0, smaller.width, smaller.height)
  return jpegOf(smaller)
}
