import type { MessageId } from './en.ts';

/** Makes an unknown message id, also one put together from a union, a type error. */
declare global {
  namespace FormatjsIntl {
    interface Message {
      ids: MessageId;
    }
  }
}
