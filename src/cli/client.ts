import { Client } from 'undici';
import type {
  ActorsAnswer,
  ErrorAnswer,
  InfoAnswer,
  NodesAnswer,
  ObjectsAnswer,
  ProblemsAnswer,
  ResourcesAnswer,
  StatsAnswer,
} from '../observe/admin-answers.ts';
import { CommandFailure, didYouMean, EXIT } from './failure.ts';

interface Answers {
  info: InfoAnswer;
  objects: ObjectsAnswer;
  problems: ProblemsAnswer;
  nodes: NodesAnswer;
  actors: ActorsAnswer;
  stats: StatsAnswer;
  resources: ResourcesAnswer;
}

/** Reads the admin API. Failures are CommandFailures: 3 where no NovaEdge answers, 1 where it answers with an error. */
export class AdminClient {
  readonly #address: string;
  readonly #client: Client;

  constructor(address: string, timeoutMs: number) {
    this.#address = address;
    this.#client = new Client(`http://${address}`, {
      connect: { timeout: timeoutMs },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
  }

  async get<Endpoint extends keyof Answers>(
    endpoint: Endpoint,
    query: Readonly<Record<string, string | undefined>> = {},
  ): Promise<Answers[Endpoint]> {
    const { status, body } = await this.#request(endpoint, query);
    const answer = parse(body);
    if (status === 200 && typeof answer === 'object' && answer !== null) return answer as Answers[Endpoint];
    if (isErrorAnswer(answer)) {
      throw new CommandFailure(EXIT.failure, `${answer.message}${didYouMean(answer.nearest ?? [])}`);
    }
    throw new CommandFailure(
      EXIT.unreachable,
      `what answers at ${this.#address} is not a NovaEdge admin server (status ${status} for /api/v1/${endpoint}): point novactl at one with --admin HOST:PORT or NOVAEDGE_ADMIN`,
    );
  }

  close(): Promise<void> {
    return this.#client.destroy();
  }

  async #request(
    endpoint: string,
    query: Readonly<Record<string, string | undefined>>,
  ): Promise<{ status: number; body: string }> {
    const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const search = given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
    try {
      const response = await this.#client.request({ method: 'GET', path: `/api/v1/${endpoint}${search}` });
      return { status: response.statusCode, body: await response.body.text() };
    } catch (error) {
      throw new CommandFailure(
        EXIT.unreachable,
        `no admin server answers at ${this.#address} (${cause(error)}): start NovaEdge with "npm start" or "npx novaedge standalone", or point novactl at it with --admin HOST:PORT or NOVAEDGE_ADMIN`,
      );
    }
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function isErrorAnswer(answer: unknown): answer is ErrorAnswer {
  return typeof (answer as Partial<ErrorAnswer> | null)?.message === 'string';
}

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'unknown host name',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  UND_ERR_CONNECT_TIMEOUT: 'connecting timed out',
  UND_ERR_HEADERS_TIMEOUT: 'it accepts connections but did not answer in time',
  UND_ERR_BODY_TIMEOUT: 'it stopped in the middle of its answer',
  UND_ERR_SOCKET: 'it closed the connection',
};

function cause(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return CAUSES[code ?? ''] ?? code ?? message;
}
