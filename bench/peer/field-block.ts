/** Names of HPACK's static table (RFC 7541, appendix A) that are sent here. */
const STATIC_NAMES: Readonly<Record<string, number>> = {
  ':authority': 1,
  ':method': 2,
  ':path': 4,
  ':scheme': 6,
  ':status': 8,
  'content-type': 31,
};

/** A header block of literals without indexing (RFC 7541, 6.2.2), which is the same on every connection at any time. */
export function fieldBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  const parts = fields.flatMap(([name, value]) => {
    const index = STATIC_NAMES[name];
    return [
      index === undefined ? Buffer.concat([integer(0, 4), text(name)]) : integer(index, 4),
      text(value),
    ];
  });
  return Buffer.concat(parts);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([integer(bytes.length, 7), bytes]);
}

/** RFC 7541, 5.1, the bits before the prefix being 0. */
function integer(value: number, prefix: number): Buffer {
  const most = 2 ** prefix - 1;
  if (value < most) return Buffer.from([value]);
  const bytes = [most];
  let left = value - most;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Buffer.from([...bytes, left]);
}
