import { mount, type VueWrapper } from '@vue/test-utils';
import { TooltipProvider } from 'reka-ui';
import { defineComponent, h, provide, type Component } from 'vue';
import { commandsKey, createCommands, type Commands } from '../commands/commands';

/** A component over the active stores, with the window's commands and tooltips around it. */
export function mountOver(
  component: Component,
  props: Record<string, unknown> = {},
): VueWrapper & { commands: Commands } {
  let commands: Commands | undefined;
  const Frame = defineComponent({
    setup() {
      commands = createCommands();
      provide(commandsKey, commands);
      return () => h(TooltipProvider, null, { default: () => h(component, props) });
    },
  });
  const wrapper = mount(Frame, { attachTo: document.body });
  return Object.assign(wrapper, { commands: commands as unknown as Commands });
}
