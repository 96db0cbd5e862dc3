import { Alert, Button, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { FormattedMessage, useIntl } from 'react-intl';
import { Preferences } from '../frame/preferences.tsx';
import { Mark } from '../frame/mark.tsx';
import { useTerminalKind } from '../frame/terminal-kind.ts';
import { storeKey } from './stored-key.ts';
import classes from './sign-in.module.css';

/** Asks for an API key. @param refused whether the last one was turned down */
export function SignIn({
  refused,
  onSubmit,
}: {
  readonly refused: boolean;
  readonly onSubmit: () => void;
}) {
  const intl = useIntl();
  const kind = useTerminalKind();
  const [text, setText] = useState('');
  const [empty, setEmpty] = useState(false);

  function submit(event: FormEvent) {
    event.preventDefault();
    const key = text.trim();
    setEmpty(key === '');
    if (key === '') return;
    onSubmit();
    storeKey(key);
  }

  return (
    <main className={classes['page']}>
      <Paper component="form" className={classes['card']} withBorder onSubmit={submit} noValidate>
        <Stack gap="md">
          <div className={classes['brand']}>
            <Mark size={36} />
            <div>
              <Title order={1} size="h3">
                Offtake
              </Title>
              <Text size="sm" c="dimmed">
                <FormattedMessage id={`terminal.${kind}`} />
              </Text>
            </div>
          </div>
          {refused && (
            <Alert
              role="alert"
              color="red"
              title={intl.formatMessage({ id: 'sign-in.refused.title' })}
            >
              <FormattedMessage id="sign-in.refused.advice" />
            </Alert>
          )}
          <PasswordInput
            label={intl.formatMessage({ id: 'sign-in.key' })}
            description={intl.formatMessage({ id: 'sign-in.key.description' })}
            placeholder="off_…"
            autoComplete="current-password"
            spellCheck={false}
            data-autofocus
            value={text}
            error={empty && intl.formatMessage({ id: 'sign-in.key.missing' })}
            onChange={(event) => setText(event.currentTarget.value)}
            visibilityToggleButtonProps={{
              'aria-label': intl.formatMessage({ id: 'sign-in.key.show' }),
            }}
          />
          <Button type="submit" fullWidth>
            <FormattedMessage id="sign-in.submit" />
          </Button>
        </Stack>
      </Paper>
      <Preferences />
    </main>
  );
}
