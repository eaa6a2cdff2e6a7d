/** Villages to send as a position; made up, in the county of the demo. Latitude and longitude in degrees (GCJ-02, as WeChat sends). */
export const PLACES = [
  { id: 'liushu', label: '柳树村村口', lat: 28.4412, lon: 115.3821 },
  { id: 'shiqiao', label: '石桥镇集市', lat: 28.4785, lon: 115.4406 },
  { id: 'xiatian', label: '下田村小学', lat: 28.3937, lon: 115.3158 },
  { id: 'county', label: '县城汽车站', lat: 28.4321, lon: 115.4123 },
] as const
