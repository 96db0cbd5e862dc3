import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** PEM files of a certificate and its key. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends CertificateFiles {
  /** @param options.names what the certificate is good for, e.g. `IP:127.0.0.1`, `DNS:broker` */
  issue(
    commonName: string,
    options?: { readonly names?: string; readonly days?: number },
  ): CertificateFiles;
}

/** A certificate authority of a test's own, made by `openssl` in its folder. */
export function createAuthority(folder: string, name = 'ca'): Authority {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true });
  const key = join(home, 'ca.key');
  const cert = join(home, 'ca.crt');
  newKey(key);
  const subject = ['-subj', `/CN=${name}`, '-days', '30'];
  openssl('req', '-x509', '-new', '-key', key, '-out', cert, ...subject);
  let serial = 0;
  return {
    cert,
    key,
    issue(commonName, { names, days = 30 } = {}) {
      serial += 1;
      const base = join(home, `${serial}-${commonName}`);
      const files = { cert: `${base}.crt`, key: `${base}.key` };
      newKey(files.key);
      openssl(
        'req',
        '-new',
        '-key',
        files.key,
        '-out',
        `${base}.csr`,
        '-subj',
        `/CN=${commonName}`,
      );
      const extensions = names === undefined ? '' : `subjectAltName=${names}\n`;
      writeFileSync(`${base}.ext`, extensions);
      const by = ['-CA', cert, '-CAkey', key, '-set_serial', String(serial), '-days', String(days)];
      openssl(
        'x509',
        '-req',
        '-in',
        `${base}.csr`,
        '-out',
        files.cert,
        ...by,
        '-extfile',
        `${base}.ext`,
      );
      return files;
    },
  };
}

const newKey = (file: string): void =>
  openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file);

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'ignore'] });
}
