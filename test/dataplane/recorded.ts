import assert from 'node:assert/strict';
import type { RecordingBackend } from './recording-backend.ts';
import type { RecordingHttp2Backend } from './recording-http2-backend.ts';
import { readStrictly } from './strict-reader.ts';
import { arrivedAt } from './three-readers.ts';

/** A request as a backend has got it, in words that both versions of HTTP have. */
export interface RecordedRequest {
  readonly method: string;
  readonly target: string;
  /** `name: value`, names in lower case, Host first; without what frames and what is about the connection. */
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailer: readonly string[];
}

export interface Recorded {
  /** By connection, in order. */
  readonly connections: readonly (readonly RecordedRequest[])[];
  /** Requests that broke off. */
  readonly cut: number;
}

/** A backend that remembers what it got. Throws where anything of that is not in order. */
export interface Recorder {
  readonly port: number;
  readonly isHttp2: boolean;
  forget(): Promise<void>;
  recorded(): Promise<Recorded>;
  close(): void;
}

const OF_VERSION = /^(?:transfer-encoding|connection|upgrade|te|sec-websocket-key): /;

function lowerCase(line: string): string {
  const at = line.indexOf(':');
  return line.slice(0, at).toLowerCase() + line.slice(at);
}

function plain(fields: readonly string[]): string[] {
  return fields.map(lowerCase).filter((field) => !OF_VERSION.test(field));
}

/** Over HTTP/1.1, as three readers have read it. */
export function recorderOf(backend: RecordingBackend): Recorder {
  return {
    port: backend.port,
    isHttp2: false,
    forget: () => backend.forget(),
    close: () => backend.close(),
    async recorded() {
      const { cut } = await arrivedAt(backend);
      const connections = backend.received.map((text) =>
        readStrictly(text).messages.map(({ start, fields, body, trailer }): RecordedRequest => {
          const [method, target] = start.split(' ');
          return { method: method!, target: target!, fields: plain(fields), body, trailer: plain(trailer) };
        }),
      );
      return { connections, cut };
    },
  };
}

/** Over HTTP/2, as RFC 9113 has it at its strictest. */
export function recorderOfHttp2(backend: RecordingHttp2Backend): Recorder {
  return {
    port: backend.port,
    isHttp2: true,
    forget: () => backend.forget(),
    close: () => backend.close(),
    async recorded() {
      let cut = 0;
      const connections = backend.received.map((messages) =>
        messages.flatMap(({ pseudo, fields, body, trailer, isEnded, resetCode }): RecordedRequest[] => {
          // A tunnel that was refused has no end of its own.
          if (!isEnded && pseudo.get(':method') !== 'CONNECT') {
            cut += 1;
            assert.notEqual(resetCode, null, 'a request that broke off is left as it is');
            return [];
          }
          const authority = pseudo.get(':authority');
          const own = plain(fields);
          return [
            {
              method: pseudo.get(':method')!,
              target: pseudo.get(':path')!,
              fields: [`host: ${authority ?? ''}`, ...own],
              body,
              trailer,
            },
          ];
        }),
      );
      return { connections, cut };
    },
  };
}
