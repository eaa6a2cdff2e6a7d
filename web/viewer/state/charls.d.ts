/** The parts of CharLS that the page uses; the package carries no types. */
declare module '@cornerstonejs/codec-charls/decodewasmjs' {
  interface Decoder {
    /** Memory of the codec for so many bytes of a file. */
    getEncodedBuffer(size: number): Uint8Array
    decode(): void
    getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number }
    /** Memory of the codec: samples of one byte, or of two, little endian. */
    getDecodedBuffer(): Uint8Array
    delete(): void
  }
  export default function create(options: { locateFile(name: string): string }): Promise<{ JpegLSDecoder: new () => Decoder }>
}
