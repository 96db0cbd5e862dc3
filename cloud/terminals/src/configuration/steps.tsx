import { FormattedMessage } from 'react-intl';
import type { Configuration } from '../../../src/http/contract.ts';
import classes from './configuration.module.css';

const STEPS = ['sent', 'checked', 'trial', 'applied'] as const;
type Progress = 'done' | 'now' | 'failed' | 'open';

/** How far each step is; states in which nothing is under way have none. */
const PROGRESS: Readonly<Partial<Record<Configuration['state'], readonly Progress[]>>> = {
  waiting: ['now', 'open', 'open', 'open'],
  trial: ['done', 'done', 'now', 'open'],
  applied: ['done', 'done', 'done', 'done'],
  refused: ['done', 'failed', 'open', 'open'],
  'rolled-back': ['done', 'done', 'failed', 'open'],
};
const SIGNS: Readonly<Record<Progress, string>> = { done: '✓', now: '…', failed: '✕', open: '○' };

/** The way of a version: sent, checked by the agent, tried, in force. */
export function Steps({ state }: { readonly state: Configuration['state'] }) {
  const progress = PROGRESS[state];
  if (progress === undefined) return null;
  return (
    <ol className={classes['steps']}>
      {STEPS.map((step, place) => {
        const is = progress[place] ?? 'open';
        return (
          <li key={step} data-progress={is}>
            <span aria-hidden>{SIGNS[is]}</span>{' '}
            <FormattedMessage id={`configuration.step.${step}`} />
          </li>
        );
      })}
    </ol>
  );
}
