import { writeCertificates } from '../cli/certs.ts';
import { EXIT } from './exit-code.ts';

export interface CertificatesOptions {
  readonly out: string;
  readonly host: readonly string[];
  readonly days: number;
  readonly force: boolean;
}

export async function certificates({ out, host, days, force }: CertificatesOptions): Promise<void> {
  try {
    await writeCertificates({ directory: out, hosts: host, days, force });
    console.log(`CA, server and client certificate are in ${out}; valid for ${days} days`);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = EXIT.cannotStart;
  }
}
