/** What one person sent of one kind; times in seconds, `begins` counted from the beginning of the recording. */
export interface Track {
  id: string
  name: string
  label: string
  isScreen: boolean
  begins: number
  duration: number
}

/** A recording; times in epoch milliseconds, `duration` in seconds. */
export interface Recording {
  id: string
  startedAt: number
  deleteAt: number
  duration: number
  finished: boolean
  tracks: Track[]
}
