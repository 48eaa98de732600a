/** Reads the part of the Graphviz language that digraphs need, from its grammar; throws where the text breaks it. */
export interface DotGraph {
  readonly nodes: Map<string, Record<string, string>>;
  readonly edges: { from: string; to: string; attributes: Record<string, string> }[];
}

export function readDot(text: string): DotGraph {
  const tokens = tokenize(text);
  let at = 0;
  const next = (): string => {
    const token = tokens[at];
    if (token === undefined) throw new Error('unexpected end');
    at += 1;
    return token;
  };
  const expect = (wanted: string): void => {
    const token = next();
    if (token !== wanted) throw new Error(`${wanted} expected, ${token} found`);
  };
  const attributes = (): Record<string, string> => {
    const found: Record<string, string> = {};
    if (tokens[at] !== '[') return found;
    next();
    while (tokens[at] !== ']') {
      const name = id(next());
      expect('=');
      found[name] = id(next());
      if (tokens[at] === ',' || tokens[at] === ';') next();
    }
    next();
    return found;
  };
  expect('digraph');
  id(next());
  expect('{');
  const graph: DotGraph = { nodes: new Map(), edges: [] };
  while (tokens[at] !== '}') {
    const first = id(next());
    if (tokens[at] === '=') {
      next();
      id(next());
    } else if (tokens[at] === '->') {
      next();
      const to = id(next());
      graph.edges.push({ from: first, to, attributes: attributes() });
    } else {
      const given = attributes();
      if (!['node', 'edge', 'graph'].includes(first)) graph.nodes.set(first, given);
    }
    if (tokens[at] === ';') next();
  }
  next();
  if (at !== tokens.length) throw new Error('text after the graph');
  return graph;
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  const pattern = /\s+|("(?:[^"\\]|\\.)*"|->|[{}[\]=,;]|[A-Za-z_][A-Za-z0-9_]*|-?(?:\.\d+|\d+(?:\.\d*)?))/sy;
  while (pattern.lastIndex < text.length) {
    const start = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null) throw new Error(`no token at ${start}: ${text.slice(start, start + 30)}`);
    if (match[1] !== undefined) tokens.push(match[1]);
  }
  return tokens;
}

/** The text of an id; labels keep their escape strings resolved as Graphviz shows them. */
function id(token: string): string {
  if (!token.startsWith('"')) {
    if (!/^[A-Za-z0-9_.-]+$/.test(token)) throw new Error(`no id: ${token}`);
    return token;
  }
  return token
    .slice(1, -1)
    .replace(/\\(.)/gs, (_, character: string) => (character === 'n' ? '\n' : character));
}
