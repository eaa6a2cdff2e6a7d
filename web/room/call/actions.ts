import { computed } from 'vue'
import type { LocalSource } from '../state/local'
import { deviceSentence } from '../state/sentences'
import { useCall, useStore } from '../state/store'

/** What the buttons of the bar and of 更多 do. */
export function useActions() {
  const { local } = useStore()
  const { room, guide, looking } = useCall()
  const isAsking = computed(() => !room.state.recording.on && room.state.recording.agreed.includes(room.state.you))

  function tellFault(source: LocalSource) {
    const fault = local.state.faults[source]
    if (fault) room.tell(deviceSentence(source, fault))
  }

  /** Opens a device that is missing, or was taken away, and switches it on. */
  async function reopen(source: LocalSource) {
    if (source === 'camera') local.state.cameraOn = true
    else local.state.audioOn = true
    await local.reopen(source)
    tellFault(source)
  }

  return {
    isAsking,
    askToRecord: () => {
      if (room.say({ kind: 'recording', agree: true })) room.tell('已经问了大家，都同意才会开始录像')
    },
    share: async () => {
      if (local.tracks.screen) local.stopSharing()
      else await local.shareScreen()
    },
    guide: () => {
      looking.close()
      if (guide.active.value) guide.close()
      else guide.open()
    },
    images: () => {
      guide.close()
      if (looking.isOpen.value) looking.close()
      else looking.open()
    },
    reopen,
    switchCamera: async () => {
      await local.switchCamera()
      tellFault('camera')
    },
  }
}
