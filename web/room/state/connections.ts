import { shallowReactive } from 'vue'
import { adaptCamera, adaptScreen, forPhone, preferVoice } from './sending'
import { isPhone } from './surroundings'
import type { Offer, PageMessage, Picture, Purpose, Source } from './types'

const DISCONNECTED_MS = 3000
const CONNECT_MS = 12_000
/** Above this many waiting bytes a stroke is better left out than shown late. */
const DATA_WAITING_MOST = 64 * 1024

interface Wire {
  peer: RTCPeerConnection
  channel: RTCDataChannel
  timer: ReturnType<typeof setTimeout> | undefined
}

/** The two connections of this page. The server offers; whenever one of them breaks, it is asked for a new offer. */
export class Connections {
  /** What arrives, by place: `p0-audio`, `p0-camera`, `p0-screen`, `p1-…`. */
  readonly remote = shallowReactive<Record<string, MediaStream>>({})
  private readonly say: (message: PageMessage) => boolean
  private readonly onData: (text: unknown) => void
  private readonly wires = new Map<Purpose, Wire>()
  private readonly local = new Map<Source, MediaStreamTrack>()
  /** Undefined until the room has said what to send. */
  private picture: Picture | null | undefined

  constructor(say: (message: PageMessage) => boolean, onData: (text: unknown) => void) {
    this.say = say
    this.onData = onData
  }

  /** Asks for both connections, also anew. */
  askForBoth(): void {
    this.ask('publish')
    this.ask('subscribe')
  }

  async take(offer: Offer): Promise<void> {
    this.drop(offer.purpose)
    const peer = new RTCPeerConnection({ iceServers: offer.iceServers, bundlePolicy: 'max-bundle' })
    const channel = peer.createDataChannel('room', { negotiated: true, id: 0, ordered: false, maxRetransmits: 0 })
    channel.addEventListener('message', (event: MessageEvent<unknown>) => this.onData(event.data))
    const wire: Wire = { peer, channel, timer: undefined }
    this.wires.set(offer.purpose, wire)
    this.watch(offer.purpose, wire)
    peer.addEventListener('icecandidate', ({ candidate }) => {
      this.say({ kind: 'candidate', connection: offer.connection, candidate: candidate?.candidate ?? '' })
    })
    peer.addEventListener('track', ({ track, transceiver }) => {
      if (transceiver.mid) this.remote[transceiver.mid] = new MediaStream([track])
    })
    try {
      await peer.setRemoteDescription({ type: 'offer', sdp: offer.sdp })
      if (offer.purpose === 'publish') await this.publish(peer)
      await peer.setLocalDescription(await peer.createAnswer())
      this.say({ kind: 'answer', connection: offer.connection, sdp: peer.localDescription?.sdp ?? '' })
      if (offer.purpose === 'publish') await this.adaptAll()
    } catch {
      // Replaced while it was being made, or refused by the browser: the timer of `watch` asks again.
    }
  }

  /** Sends `track` as `source` from now on; nothing where it is null. */
  async send(source: Source, track: MediaStreamTrack | null): Promise<void> {
    if (track) this.local.set(source, track)
    else this.local.delete(source)
    await this.sender(source)?.replaceTrack(track).catch(() => undefined)
    await this.adaptAll()
  }

  /** Sends pictures as the room asks, none where `picture` is null. */
  async adapt(picture: Picture | null): Promise<void> {
    this.picture = picture
    await this.adaptAll()
  }

  /** Says it over the data channel; false where that is not open. */
  sendData(text: string): boolean {
    const channel = this.wires.get('subscribe')?.channel
    if (channel?.readyState !== 'open') return false
    if (channel.bufferedAmount < DATA_WAITING_MOST) channel.send(text)
    return true
  }

  close(): void {
    this.drop('publish')
    this.drop('subscribe')
  }

  private ask(purpose: Purpose): void {
    this.say({ kind: 'offer', purpose })
  }

  private async publish(peer: RTCPeerConnection): Promise<void> {
    for (const transceiver of peer.getTransceivers()) {
      transceiver.direction = 'sendonly'
      await transceiver.sender.replaceTrack(this.local.get(transceiver.mid as Source) ?? null)
    }
  }

  private async adaptAll(): Promise<void> {
    const [audio, camera, screen] = (['audio', 'camera', 'screen'] as const).map((source) => this.sender(source))
    if (audio) await preferVoice(audio)
    if (this.picture === undefined) return
    if (camera) await adaptCamera(camera, this.picture && isPhone ? forPhone(this.picture) : this.picture)
    if (screen) await adaptScreen(screen, this.picture)
  }

  private sender(source: Source): RTCRtpSender | undefined {
    const transceivers = this.wires.get('publish')?.peer.getTransceivers() ?? []
    return transceivers.find((transceiver) => transceiver.mid === source)?.sender
  }

  /** Asks for a new offer when this connection fails, stays interrupted, or does not come about. */
  private watch(purpose: Purpose, wire: Wire): void {
    const askAfter = (ms: number) => {
      clearTimeout(wire.timer)
      wire.timer = setTimeout(() => this.ask(purpose), ms)
    }
    askAfter(CONNECT_MS)
    wire.peer.addEventListener('connectionstatechange', () => {
      const state = wire.peer.connectionState
      if (state === 'connected') clearTimeout(wire.timer)
      if (state === 'disconnected') askAfter(DISCONNECTED_MS)
      if (state === 'failed') askAfter(0)
    })
  }

  private drop(purpose: Purpose): void {
    const wire = this.wires.get(purpose)
    if (!wire) return
    clearTimeout(wire.timer)
    this.wires.delete(purpose)
    wire.peer.close()
  }
}
