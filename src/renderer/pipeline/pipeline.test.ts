// @vitest-environment happy-dom
import { flushPromises, type VueWrapper } from '@vue/test-utils';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import PipelinePane from '../panes/PipelinePane.vue';
import { useLayout } from '../stores/layout';
import { useListing } from '../stores/listing';
import { usePipeline } from '../stores/pipeline';
import { useSession } from '../stores/session';
import type { FakeTransport } from '../testing/fake-transport';
import { mountOver } from '../testing/mount';
import { startedSession } from '../testing/stores';

let fake: FakeTransport;
let pane: VueWrapper | undefined;

beforeEach(async () => {
  fake = await startedSession();
});
afterEach(() => pane?.unmount());

async function show(): Promise<VueWrapper> {
  useLayout().visible = ['pipeline'];
  pane = mountOver(PipelinePane);
  await flushPromises();
  return pane;
}
const asked = () => fake.calls.filter(({ method }) => method === 'session.pipeline').length;

describe('the pipeline pane', () => {
  it('asks for the pipeline only while it is shown', async () => {
    usePipeline();
    await useSession().step('into', 'native');
    await flushPromises();
    expect(asked()).toBe(0);
    await show();
    expect(asked()).toBe(1);
    await useSession().step('into', 'native');
    await flushPromises();
    expect(asked()).toBe(2);
  });

  it('shows the cycle, each stage with its instruction or its bubble, and where the cycles went', async () => {
    for (let i = 0; i < 3; i++) await useSession().step('into', 'native');
    const shown = await show();
    expect(shown.find('[data-cycle]').text()).toBe('4');
    expect(shown.findAll('.stage .name').map((stage) => stage.text())).toEqual([
      'IF',
      'ID',
      'EX',
      'MEM',
      'WB',
    ]);
    expect(shown.findAll('.stage')[4]!.find('code').text()).not.toBe('');
    expect(shown.text()).toContain('3 instructions, 1.33 cycles an instruction');
    expect(shown.findAll('.totals tr').map((row) => row.text())).toEqual([
      expect.stringMatching(/^instructions\s*3\s*75%$/),
      expect.stringMatching(/^load-use\s*1\s*25%$/),
    ]);
  });

  it('runs to a cycle that is typed in, and to nothing else', async () => {
    const shown = await show();
    const field = shown.find<HTMLInputElement>('.go input');
    await field.setValue('soon');
    await shown.find('.go').trigger('submit');
    expect(fake.calls.some(({ method }) => method === 'session.runToCycle')).toBe(false);
    await field.setValue('7');
    await shown.find('.go').trigger('submit');
    await flushPromises();
    expect(fake.calls.find(({ method }) => method === 'session.runToCycle')?.params).toEqual({ cycle: 7 });
    expect(field.element.value).toBe('');
    expect(shown.find('[data-cycle]').text()).toBe('8');
  });

  it('says why there is none', async () => {
    fake.fail('session.pipeline', 'This session counts no cycles.');
    const shown = await show();
    expect(shown.text()).toContain('This session counts no cycles.');
  });

  it('leads from an instruction to its row in the native column', async () => {
    await show();
    const view = usePipeline().view!;
    const diagram = pane!.findComponent({ name: 'PipelineDiagram' });
    diagram.vm.$emit('pick', view.rows[2]);
    await flushPromises();
    expect(useListing().cursor).toEqual({ column: 'native', row: 2 });
  });
});
