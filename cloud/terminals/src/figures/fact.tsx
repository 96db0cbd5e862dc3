import type { ReactNode } from 'react';
import { FormattedMessage } from 'react-intl';
import type { MessageId } from '../language/en.ts';

/** One entry of a list of facts (`dl`). */
export function Fact({
  name,
  children,
}: {
  readonly name: MessageId;
  readonly children: ReactNode;
}) {
  return (
    <div>
      <dt>
        <FormattedMessage id={name} />
      </dt>
      <dd>{children}</dd>
    </div>
  );
}
