import { computed } from 'vue'
import { useCall, useStore } from '../state/store'

/** What the buttons of the bar and of 更多 do. */
export function useActions() {
  const { local } = useStore()
  const { room, guide } = useCall()
  const isAsking = computed(() => !room.state.recording.on && room.state.recording.agreed.includes(room.state.you))

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
      if (guide.active.value) guide.close()
      else guide.active.value = true
    },
    openCamera: async () => {
      local.state.cameraOn = true
      await local.reopen('camera')
    },
  }
}
