import { createApp } from 'vue'
import '../shared/tokens.css'
import '../shared/base.css'
import '../shared/cardpage.css'
import './pay.css'
import App from './App.vue'

createApp(App).mount('#app')
