import { Alert, Button, Code, Group, Text } from '@mantine/core';
import { FormattedMessage, useIntl } from 'react-intl';
import { ApiProblem, type ProblemKind } from '../api/problem.ts';

/** Says what went wrong, in whose hands it is, and what to do. */
export function ProblemNotice({
  error,
  onRetry,
}: {
  readonly error: unknown;
  readonly onRetry?: () => void;
}) {
  const intl = useIntl();
  const kind: ProblemKind = error instanceof ApiProblem ? error.kind : 'ours';
  const detail = error instanceof Error ? error.message : String(error);
  return (
    <Alert
      role="alert"
      color="red"
      variant="light"
      title={intl.formatMessage({ id: `problem.${kind}.title` })}
    >
      <Text size="sm">
        <FormattedMessage id={`problem.${kind}.advice`} />
      </Text>
      {kind !== 'unreachable' && (
        <Code block mt="xs">
          {detail}
        </Code>
      )}
      {onRetry !== undefined && (
        <Group mt="sm">
          <Button size="xs" variant="default" onClick={onRetry}>
            <FormattedMessage id="problem.retry" />
          </Button>
        </Group>
      )}
    </Alert>
  );
}
