import { expect, test } from './fixtures.ts';

test.describe('first light @double', () => {
  test('an example opens ready to step, at every level at once', async ({ open }) => {
    const { debug } = await open();
    await debug.ready();
    await expect(debug.stopReason).toHaveText('Entered dispatch.');
    await expect(debug.functionShown()).toHaveValue('dispatch/dispatch');
    await expect.poll(() => debug.native.currentText()).toBe('nop');
    await expect
      .poll(() => debug.stack())
      .toEqual(['dispatch', 'bpf_test_run', 'bpf_prog_test_run', '__sys_bpf']);
    await expect(debug.native.line(/^li a6, 33$/)).toBeVisible();
    await expect(debug.bpf.line('r6 = r1').first()).toBeVisible();
  });

  test('steps by BPF and by native instruction; the rows that belong together move together', async ({
    open,
  }) => {
    const { debug } = await open();
    await debug.ready();

    await debug.stepBy('BPF');
    await debug.step('Step over');
    await expect.poll(() => debug.bpf.currentText()).toBe('r6 = r1');
    await expect.poll(() => debug.native.currentText()).toBe('mv s1, a0');
    await expect(debug.native.linked).toHaveText(['mv s1, a0']);
    await debug.step('Step over');
    await expect.poll(() => debug.bpf.currentText()).toBe('r2 = *(u64 *)(r6 +8)');
    await expect.poll(() => debug.native.currentText()).toBe('ld a1, 8(s1)');
    const line = await debug.source.currentText();
    expect(line).toContain('ctx->data_end');

    // A BPF instruction of several native ones: its row stays while the native one moves.
    await debug.native.hover(/^addi a1, a1, -4$/);
    await debug.bpf.click('r1 = map[name:counters]');
    await expect(debug.native.linked.first()).toBeVisible();
    const parts = await debug.native.linked.allTextContents();
    expect(parts.length).toBeGreaterThan(1);
    await debug.button('Step over').focus();
    await debug.bpf.click('r1 = map[name:counters]');
    await debug.button('Step over').press('Control+F10');
    await expect(debug.stopReason).toContainText('slot 12');
    await debug.stepBy('Native');
    for (const part of parts.slice(1)) {
      await debug.step('Step over');
      await expect.poll(() => debug.native.currentText()).toBe(part);
      await expect.poll(() => debug.bpf.currentText()).toContain('r1 = map[name:counters]');
      await expect(debug.native.linked).toHaveText(parts);
    }
    await debug.step('Step over');
    await expect.poll(() => debug.bpf.currentText()).not.toContain('map[name:counters]');
  });

  test('breaks on tail calls: a6 counts down, the call stack says which frame was replaced', async ({
    open,
  }) => {
    const { debug } = await open();
    await debug.ready();
    await debug.addEventBreakpoint('Tail call taken');

    await debug.resume();
    await expect(debug.stopReason).toContainText(
      'tail call taken from dispatch to on_ipv4, 32 tail calls left',
    );
    await expect.poll(() => debug.value('a6')).toBe('0x20');
    await expect(debug.register('a6')).toContainText('TCC');
    await expect.poll(async () => (await debug.stack())[0]).toBe('dispatch');

    await debug.stepBy('Native');
    await debug.step('Step into');
    await expect.poll(async () => (await debug.stack())[0]).toBe('on_ipv4');
    await expect(debug.frames.first()).toContainText(
      'entered by a tail call from dispatch, whose frame it replaced',
    );
    await expect(debug.functionShown()).toHaveValue('on_ipv4/on_ipv4');

    await debug.resume();
    await expect(debug.stopReason).toContainText(
      'tail call taken from on_ipv4 to on_udp, 31 tail calls left',
    );
    await expect.poll(() => debug.value('a6')).toBe('0x1f');
    await debug.resume();
    await expect(debug.session).toContainText('Ended');
    await expect(debug.result).toContainText('3 XDP_TX');
    await expect(debug.result).toContainText('60 bytes');
    await expect(debug.counters).toContainText('tail calls2');
  });

  test('a6 waits in s6 while a helper runs, and comes back', async ({ open }) => {
    const { debug, start } = await open();
    await debug.ready();
    await debug.button('Programs, inputs and examples').click();
    await start.debugExample('Subprograms that call helpers');
    await debug.ready();
    await debug.addEventBreakpoint('Helper call', 'bpf_ktime_get_ns');
    await debug.resume();
    await expect(debug.stopReason).toContainText('call of bpf_ktime_get_ns');
    await expect.poll(() => debug.value('a6')).toBe('0x21');
    await expect.poll(() => debug.value('s6')).toBe('0x21');
    expect((await debug.stack()).slice(0, 4)).toEqual(['bpf_ktime_get_ns', 'stamp', 'report', 'measure']);

    await debug.stepBy('Native');
    await debug.step('Step over');
    await expect.poll(() => debug.value('a6')).toMatch(/^0xdead4ead/);
    await expect.poll(() => debug.value('s6')).toBe('0x21');
    await expect(debug.registerNote('a6')).toContainText('Clobbered by a kernel function');
    await expect(debug.registerNote('s6')).toContainText('33 tail calls left');
    await expect(debug.register('a6')).toHaveAccessibleName(/changed$/);
    await expect.poll(() => debug.native.currentText()).toBe('mv a6, s6');
    await debug.step('Step over');
    await expect.poll(() => debug.value('a6')).toBe('0x21');
  });
});
