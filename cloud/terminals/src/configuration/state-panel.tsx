import { Badge, Text, Title } from '@mantine/core';
import { FormattedMessage } from 'react-intl';
import type { Configuration, ConfigurationVersion } from '../../../src/http/contract.ts';
import { Age } from '../figures/age.tsx';
import { Fact } from '../figures/fact.tsx';
import classes from './configuration.module.css';
import { FaultList } from './fault-list.tsx';
import { lineOf, textOf } from './sections-text.ts';
import { ShortState } from './short-state.tsx';
import { Steps } from './steps.tsx';

type State = Configuration['state'];

const COLOURS: Readonly<Record<State, string>> = {
  local: 'gray',
  waiting: 'gray',
  trial: 'blue',
  applied: 'green',
  refused: 'orange.9',
  'rolled-back': 'orange.9',
  ahead: 'orange.9',
};
/** What an agent reports of a message whose version it could not read. */
const UNREAD = 0;
const QUIET: ReadonlySet<State> = new Set(['local', 'applied']);

/** What is wanted, what is in force, and what the agent says of it. */
export function StatePanel({ configuration }: { readonly configuration: Configuration }) {
  const { state, desired, reported } = configuration;
  const versions = { desired: desired?.version ?? 0, inForce: reported?.inForce ?? 0 };
  return (
    <section className={classes['panel']} aria-live="polite" data-state={state}>
      <div className={classes['head']}>
        <Badge
          color={COLOURS[state]}
          variant={QUIET.has(state) ? 'light' : 'outline'}
          style={{ textTransform: 'none' }}
        >
          <ShortState state={state} desired={versions.desired} />
        </Badge>
        <Steps state={state} />
      </div>
      <Text size="sm">
        <FormattedMessage id={`configuration.${state}`} values={versions} />
      </Text>
      <dl className={classes['facts']}>
        <Fact name="configuration.wanted">
          {desired === null ? '–' : <Authored version={desired} />}
        </Fact>
        <Fact name="configuration.in-force">
          <InForce version={versions.inForce} />
        </Fact>
        <Fact name="configuration.reported">
          {reported === null ? '–' : <Age at={reported.receivedAt} />}
        </Fact>
      </dl>
      {(state !== 'waiting' || reported?.version === UNREAD) && (
        <Complaint configuration={configuration} />
      )}
    </section>
  );
}

/** Why the newest version is not in force, in the agent's words. */
function Complaint({ configuration: { reported, desired } }: { configuration: Configuration }) {
  const { reason = null, problems = [] } = reported ?? {};
  if (reason === null && problems.length === 0) return null;
  const text = textOf(desired?.config ?? {});
  return (
    <div className={classes['complaint']}>
      {reason !== null && (
        <Text size="sm">
          <b>
            <FormattedMessage id="configuration.reason" />
          </b>
          {': '}
          {reason}
        </Text>
      )}
      {problems.length > 0 && (
        <>
          <Title order={3} size="h6">
            <FormattedMessage id="configuration.problems" />
          </Title>
          <FaultList
            faults={problems.map(({ key, expected }) => {
              return { key, detail: expected, line: lineOf(text, key) };
            })}
          />
        </>
      )}
    </div>
  );
}

export function InForce({ version }: { readonly version: number }) {
  return version === 0 ? (
    <FormattedMessage id="configuration.in-force.local" />
  ) : (
    <FormattedMessage id="configuration.in-force.version" values={{ version }} />
  );
}

function Authored({ version }: { readonly version: ConfigurationVersion }) {
  return (
    <>
      <InForce version={version.version} /> · {version.author} · <Age at={version.at} />
    </>
  );
}
