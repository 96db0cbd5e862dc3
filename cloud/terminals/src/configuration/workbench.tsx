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
  const sending = useSendConfiguration(agentId);
  const draft = written ?? fresh;

  const change = (next: Draft | null) => {
    sending.reset();
    setWritten(next?.text === fresh.text ? null : next);
  };
  const propose = (config: Proposal['config'], restored: number | null) => {
    sending.reset();
    setProposal({ config, restored, expectedVersion: newest });
  };
  const send = ({ config, ...sent }: Proposal, note: string) => {
    sending.mutate(
      { ...sent, config, note },
      {
        onSuccess: () => setWritten(null),
        onError: () => {
          // So that the faults stand beside the text that has them.
          if (sent.restored === null) setWritten({ text: textOf(config), base: newest });
        },
        onSettled: () => setProposal(null),
      },
    );
  };

  const { problem = null } = sending.error instanceof ApiProblem ? sending.error : {};
  const faults = problem?.errors?.map((error) => faultOf(draft.text, error)) ?? [];
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
            onReview={(config) => propose(config, null)}
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
        onRestore={({ version, config }: ConfigurationVersion) => propose(config, version)}
      />
    </>
  );
}
