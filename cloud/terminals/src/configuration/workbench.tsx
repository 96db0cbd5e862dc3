import { useState } from 'react';
import type { Configuration, ConfigurationVersion } from '../../../src/http/contract.ts';
import { ApiProblem } from '../api/problem.ts';
import { useSendConfiguration } from '../api/resources.ts';
import { ProblemNotice } from '../notices/problem-notice.tsx';
import classes from './configuration.module.css';
import { Editor, type Draft } from './editor.tsx';
import { Review, type Proposal } from './review.tsx';
import { faultOf, textOf } from './sections-text.ts';
import { Versions } from './versions.tsx';

const CONFLICT = '/api/v1/problems/version-conflict';

/** Where a configuration is written, compared, sent and restored. */
export function Workbench({ configuration }: { readonly configuration: Configuration }) {
  const { agentId, desired } = configuration;
  const newest = desired?.version ?? 0;
  const fresh: Draft = { text: textOf(desired?.config ?? {}), base: newest };
  const [written, setWritten] = useState<Draft | null>(null);
  const [proposal, setProposal] = useState<Proposal | null>(null);
  const [hasTextFaults, setHasTextFaults] = useState(false);
  const sending = useSendConfiguration(agentId);
  const draft = written ?? fresh;

  const change = (next: Draft | null) => {
    sending.reset();
    setWritten(next?.text === fresh.text ? null : next);
  };
  const propose = (proposed: Omit<Proposal, 'expectedVersion'>) => {
    sending.reset();
    setProposal({ ...proposed, expectedVersion: newest });
  };
  const send = ({ isText, ...sent }: Proposal, note: string) => {
    sending.mutate(
      { ...sent, note },
      {
        onSuccess: () => {
          if (isText) setWritten(null);
        },
        // With the version that it rests on, also where the text is that version's: what somebody
        // else sent meanwhile is not to take its place unseen.
        onError: () => {
          if (isText) setWritten(draft);
          setHasTextFaults(isText);
        },
        onSettled: () => setProposal(null),
      },
    );
  };

  const { problem = null } = sending.error instanceof ApiProblem ? sending.error : {};
  const judged = hasTextFaults ? draft.text : '';
  const faults = problem?.errors?.map((error) => faultOf(judged, error)) ?? [];
  const isTold = faults.length > 0 || problem?.type === CONFLICT;
  return (
    <>
      <section className={classes['panel']}>
        {sending.error !== null && !isTold && <ProblemNotice error={sending.error} />}
        {proposal === null ? (
          <Editor
            draft={draft}
            isChanged={written !== null}
            newest={newest}
            refused={faults}
            onChange={change}
            onReview={(config) => propose({ config, isText: true, restored: null })}
            onLocal={() => propose({ config: {}, isText: false, restored: null })}
            onDiscard={() => change(null)}
          />
        ) : (
          <Review
            configuration={configuration}
            proposal={proposal}
            isSending={sending.isPending}
            onSend={(note) => send(proposal, note)}
            onBack={() => setProposal(null)}
          />
        )}
      </section>
      <Versions
        agent={agentId}
        newest={newest}
        onRestore={({ version, config }: ConfigurationVersion) =>
          propose({ config, isText: false, restored: version })
        }
      />
    </>
  );
}
