/** Stands in for the XML library of vtk.js, which reads and writes files of its own with it; no part of the viewer does. */
export function create(): never {
  throw new Error('no XML is read or written here')
}
