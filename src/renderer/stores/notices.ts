import { defineStore } from 'pinia';
import { ref } from 'vue';
import { RequestError } from '../../shared/api';
import { sentenceOf } from '../api';

export interface Notice {
  readonly id: number;
  readonly kind: 'error' | 'info';
  readonly text: string;
  /** What the user did, in front of the sentence: "Step over". */
  readonly title?: string;
}

const MOST = 4;

/** What went wrong in requests, as sentences that stay until they are dismissed (or pushed out by newer ones). */
export const useNotices = defineStore('notices', () => {
  const notices = ref<readonly Notice[]>([]);
  let next = 1;

  function add(kind: Notice['kind'], text: string, title?: string): void {
    const others = notices.value.filter((notice) => notice.text !== text || notice.title !== title);
    notices.value = [...others, { id: next++, kind, text, title }].slice(-MOST);
  }

  function dismiss(id: number): void {
    notices.value = notices.value.filter((notice) => notice.id !== id);
  }

  /** Runs an action; what it throws becomes a notice. True when it went well. */
  async function guard(title: string, action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      if (!(error instanceof RequestError)) console.error(error);
      add('error', sentenceOf(error), title);
      return false;
    }
  }

  return { notices, add, dismiss, guard };
});
