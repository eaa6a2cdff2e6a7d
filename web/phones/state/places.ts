/** Villages to send as a position; made up, in the county of the demo (data/demo/institutions.json). Latitude and longitude in degrees (GCJ-02, as WeChat sends). */
export const PLACES = [
  { id: 'liushu', label: '柳树村村口', lat: 28.621, lon: 114.819 },
  { id: 'shiqiao', label: '石桥镇集市', lat: 28.615, lon: 114.8225 },
  { id: 'xiatian', label: '下田村小学', lat: 28.518, lon: 114.785 },
  { id: 'county', label: '县城汽车站', lat: 28.579, lon: 114.848 },
] as const
