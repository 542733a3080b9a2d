import { createPinia } from 'pinia';
import { createApp } from 'vue';
import App from './App.vue';
import { apiKey, connect } from './api';
import { registerPanes } from './shell/panes';
import './styles/tokens.css';
import './styles/base.css';
import './styles/dock.css';

const app = createApp(App).provide(apiKey, connect()).use(createPinia());
registerPanes(app);
app.mount('#app');
