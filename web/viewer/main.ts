import { createApp } from 'vue'
import '../shared/tokens.css'
import '../shared/base.css'
import './imaging.css'
import './viewer.css'
import App from './App.vue'
import { keepForced } from './render/choose'

keepForced()

createApp(App).mount('#app')
