export interface MessageHead {
  /** Method, or protocol version. */
  readonly first: string;
  /** Target, or status code. */
  readonly second: string;
  /** By name in lower case; fields of one name joined by a comma. */
  readonly fields: ReadonlyMap<string, string>;
}

export interface MessageReaderOwner {
  /** Says whether a body can follow at all. */
  onHead(head: MessageHead): boolean;
  onBody(bytes: Buffer): void;
  onMessageEnd(): void;
  onMalformed(what: string): void;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const EMPTY = Buffer.alloc(0);

type State = 'head' | 'length' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailer' | 'close' | 'broken';

/**
 * HTTP/1.1 messages from bytes, one after another: an oracle for what the data plane writes, and written apart from
 * it. Strict: whatever RFC 9112 does not allow a sender is malformed.
 */
export class MessageReader {
  readonly #owner: MessageReaderOwner;
  readonly #isResponse: boolean;
  #state: State = 'head';
  #bytes: Buffer = EMPTY;
  #left = 0;
  #isRaw = false;

  constructor(kind: 'request' | 'response', owner: MessageReaderOwner) {
    this.#isResponse = kind === 'response';
    this.#owner = owner;
  }

  feed(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    while (this.#step()) {}
    if (this.#bytes.length > 0) this.#bytes = Buffer.from(this.#bytes);
  }

  /** Said with a head: what follows is no message, up to the end of the connection. */
  toRaw(): void {
    this.#isRaw = true;
  }

  /** The connection has ended by itself: what nothing else ends, ends here. */
  end(): void {
    if (this.#state === 'close') this.#finish();
  }

  #step(): boolean {
    const bytes = this.#bytes;
    if (this.#state !== 'head' && this.#state !== 'broken' && bytes.length === 0) return false;
    switch (this.#state) {
      case 'head': {
        const end = bytes.indexOf(HEAD_END);
        if (end === -1) return false;
        const text = bytes.toString('latin1', 0, end);
        this.#bytes = bytes.subarray(end + HEAD_END.length);
        this.#readHead(text);
        return true;
      }
      case 'length':
      case 'chunk-data': {
        const length = Math.min(this.#left, bytes.length);
        this.#left -= length;
        this.#bytes = bytes.subarray(length);
        this.#owner.onBody(bytes.subarray(0, length));
        if (this.#left > 0) return false;
        if (this.#state === 'length') this.#finish();
        else if (this.#state === 'chunk-data') this.#state = 'chunk-end';
        return true;
      }
      case 'close':
        this.#bytes = EMPTY;
        this.#owner.onBody(bytes);
        return false;
      case 'chunk-size':
      case 'chunk-end':
      case 'trailer':
        return this.#readLine();
      case 'broken':
        this.#bytes = EMPTY;
        return false;
    }
  }

  #readLine(): boolean {
    const end = this.#bytes.indexOf('\r\n');
    if (end === -1) return false;
    const line = this.#bytes.toString('latin1', 0, end);
    this.#bytes = this.#bytes.subarray(end + 2);
    if (this.#state === 'chunk-end') {
      if (line !== '') this.#malformed(`chunk followed by ${JSON.stringify(line.slice(0, 20))}`);
      else this.#state = 'chunk-size';
    } else if (this.#state === 'trailer') {
      if (line === '') this.#finish();
    } else if (!/^[0-9a-f]{1,8}$/i.test(line))
      this.#malformed(`chunk size ${JSON.stringify(line.slice(0, 20))}`);
    else {
      this.#left = Number.parseInt(line, 16);
      this.#state = this.#left === 0 ? 'trailer' : 'chunk-data';
    }
    return true;
  }

  #readHead(text: string): void {
    const lines = text.split('\r\n');
    const start = (this.#isResponse ? /^(HTTP\/1\.1) (\d{3}) .*$/ : /^([A-Z]+) (\S+) HTTP\/1\.1$/).exec(
      lines[0]!,
    );
    if (start === null) {
      this.#malformed(`start line ${JSON.stringify(lines[0]!.slice(0, 60))}`);
      return;
    }
    const fields = new Map<string, string>();
    for (const line of lines.slice(1)) {
      const colon = line.indexOf(':');
      const name = line.slice(0, colon).toLowerCase();
      if (colon < 1) {
        this.#malformed(`field ${JSON.stringify(line.slice(0, 60))}`);
        return;
      }
      const value = line.slice(colon + 1).trim();
      const before = fields.get(name);
      fields.set(name, before === undefined ? value : `${before}, ${value}`);
    }
    const hasBody = this.#owner.onHead({ first: start[1]!, second: start[2]!, fields });
    if (this.#isRaw) {
      this.#state = 'close';
      return;
    }
    const length = fields.get('content-length');
    const coding = fields.get('transfer-encoding');
    if (length !== undefined && coding !== undefined) this.#malformed('two framings');
    else if (length !== undefined && !/^\d+$/.test(length)) this.#malformed(`length ${length}`);
    else if (!hasBody) this.#finish();
    else if (coding !== undefined) {
      if (coding === 'chunked') this.#state = 'chunk-size';
      else this.#malformed(`transfer coding ${coding}`);
    } else if (length !== undefined) {
      this.#left = Number(length);
      this.#state = 'length';
      if (this.#left === 0) this.#finish();
    } else if (this.#isResponse) this.#state = 'close';
    else this.#finish();
  }

  #finish(): void {
    this.#state = 'head';
    this.#owner.onMessageEnd();
  }

  #malformed(what: string): void {
    this.#state = 'broken';
    this.#owner.onMalformed(what);
  }
}
