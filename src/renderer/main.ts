// First, so that the components' own styles come after the general ones.
import './styles/tokens.css';
import './styles/base.css';
import './styles/dock.css';
import { createPinia } from 'pinia';
import { createApp } from 'vue';
import App from './App.vue';
import { apiKey, connect } from './api';
import { registerPanes } from './shell/panes';

const app = createApp(App).provide(apiKey, connect()).use(createPinia());
registerPanes(app);
app.mount('#app');
