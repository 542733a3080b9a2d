import { describe, expect, it } from 'vitest';
import { sampleInfo } from '../testing/sample-views';
import { isaChoice, isaString, legalProfile, schemesOf } from './profile';

const { kernels } = sampleInfo;

describe('legalProfile', () => {
  it('keeps every pair that exists', () => {
    for (const { kernel, schemes } of kernels) {
      for (const tcc of schemes) {
        expect(legalProfile(kernels, { kernel, tcc, isa: 'rv64ima' })).toEqual({
          kernel,
          tcc,
          isa: 'rv64ima',
        });
      }
    }
  });

  it('never gives a pair that does not exist', () => {
    const words = ['mainline', 'stack-v1', 'stack-v3', 'stack-v6', 'transparent', 'nonsense'];
    for (const kernel of ['6.6', '6.12', '7.2', '7.3', '5.4']) {
      for (const tcc of words) {
        const legal = legalProfile(kernels, { kernel, tcc, isa: 'rv64imac' });
        expect(schemesOf(kernels, legal.kernel)).toContain(legal.tcc);
      }
    }
  });

  it('prefers transparent where a kernel lacks the scheme', () => {
    expect(legalProfile(kernels, { kernel: '7.2', tcc: 'stack-v6', isa: 'rv64imac' }).tcc).toBe(
      'transparent',
    );
    expect(legalProfile(kernels, { kernel: '6.6', tcc: 'transparent', isa: 'rv64imac' }).tcc).toBe(
      'mainline',
    );
  });
});

it('takes ISA strings apart and puts them together in one order', () => {
  expect(isaChoice('rv64imac_zba_zbb')).toEqual({ compressed: true, extensions: ['zba', 'zbb'] });
  expect(isaString({ compressed: false, extensions: ['zacas', 'zba'] })).toBe('rv64ima_zba_zacas');
  expect(isaString(isaChoice('rv64imac'))).toBe('rv64imac');
});
