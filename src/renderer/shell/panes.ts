import type { App, Component } from 'vue';
import BpfPane from '../panes/BpfPane.vue';
import BreakpointsPane from '../panes/BreakpointsPane.vue';
import ComparePane from '../panes/ComparePane.vue';
import ConsolePane from '../panes/ConsolePane.vue';
import FramePane from '../panes/FramePane.vue';
import MapsPane from '../panes/MapsPane.vue';
import MemoryPane from '../panes/MemoryPane.vue';
import NativePane from '../panes/NativePane.vue';
import PipelinePane from '../panes/PipelinePane.vue';
import RegistersPane from '../panes/RegistersPane.vue';
import SourcePane from '../panes/SourcePane.vue';
import StackPane from '../panes/StackPane.vue';
import { paneComponent, type PaneId } from '../stores/layout';
import PaneActions from './PaneActions.vue';

const PANE_COMPONENTS: Record<PaneId, Component> = {
  source: SourcePane,
  bpf: BpfPane,
  native: NativePane,
  registers: RegistersPane,
  stack: StackPane,
  frame: FramePane,
  console: ConsolePane,
  breakpoints: BreakpointsPane,
  maps: MapsPane,
  memory: MemoryPane,
  compare: ComparePane,
  pipeline: PipelinePane,
};

/** Names the panes to the application: dockview looks its panels' components up by name. */
export function registerPanes(app: App): void {
  for (const [id, component] of Object.entries(PANE_COMPONENTS)) app.component(paneComponent(id), component);
  app.component('PaneActions', PaneActions);
}
