import type { Raw } from '../../shared/raw'

const one = (value: unknown) => ({ Value: [value] })

/** A header of a CT in the DICOM JSON model, for tests; `changes` by tag. */
export function ctHeader(changes: Raw = {}): Raw {
  return {
    '00080018': one('1.2.3'), '00080060': one('CT'), '00280002': one(1), '00280004': one('MONOCHROME2'), '00280010': one(512), '00280011': one(512),
    '00280030': { Value: [0.7, 0.5] }, '00280100': one(16), '00280101': one(16), '00280102': one(15), '00280103': one(1),
    '00281052': one('-1024'), '00281053': one(1), '00180050': one(2), ...changes,
  }
}
