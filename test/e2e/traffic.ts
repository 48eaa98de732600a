import { Agent, request } from 'node:http';

export interface Traffic {
  /** Answers by status and body: `200 one`. */
  readonly answers: Map<string, number>;
  readonly failures: string[];
  total(): number;
  /** Ends the load after the requests in flight. */
  stop(): Promise<void>;
}

/** Keep-alive load on one URL from `connections` clients, each one request after the other, until stopped. */
export function traffic(url: string, connections: number): Traffic {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const answers = new Map<string, number>();
  const failures: string[] = [];
  let running = true;

  const client = async () => {
    while (running) {
      try {
        const answer = await get(url, agent);
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const clients = Array.from({ length: connections }, client);
  return {
    answers,
    failures,
    total: () => [...answers.values()].reduce((sum, count) => sum + count, 0),
    async stop() {
      running = false;
      await Promise.all(clients);
      agent.destroy();
    },
  };
}

function get(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve(`${response.statusCode} ${body}`));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}
