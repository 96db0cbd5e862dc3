import { FormattedMessage } from 'react-intl';
import type { AgentView } from '../../../src/http/contract.ts';

/** In a few words where an agent stands with what is wanted of it. */
export function ShortState({
  state,
  desired,
}: Pick<AgentView['configuration'], 'state' | 'desired'>) {
  return <FormattedMessage id={`configuration.short.${state}`} values={{ desired }} />;
}
