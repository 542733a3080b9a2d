import type { Rule } from 'eslint';

export const ENGINE_ROOMS: readonly string[];
export const TOP_ARROWS: Readonly<Record<string, readonly string[]>>;
export function roomOf(file: string): { readonly top: string; readonly engine: string | undefined };
export function forbiddenArrow(from: string, to: string, typeOnly: boolean): string | undefined;
export function forbiddenModule(from: string, name: string): string | undefined;
export const arrowsRule: Rule.RuleModule;
