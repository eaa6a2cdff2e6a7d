import { computed } from 'vue'
import { useCall, useStore } from '../state/store'

/** What the buttons of the bar and of 更多 do. */
export function useActions() {
  const { local } = useStore()
  const { room, guide } = useCall()
  const { recording } = room.state
  const isAsking = computed(() => !room.state.recording.on && room.state.recording.agreed.includes(room.state.you))

  return {
    isAsking,
    recordLabel: computed(() => (room.state.recording.on ? '停录像' : isAsking.value ? '等同意' : '录像')),
    record: () => {
      const agree = !room.state.recording.on
      room.say({ kind: 'recording', agree })
      if (agree && !recording.on) room.tell('已经问了大家，都同意才会开始录像')
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
