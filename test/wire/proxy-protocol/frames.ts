/** A version 2 header, put together from its parts as the specification draws them. */
export function v2(versionAndCommand: number, familyAndTransport: number, block: Uint8Array): Buffer {
  const length = block.length;
  return Buffer.concat([
    Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]),
    Buffer.from([versionAndCommand, familyAndTransport, length >> 8, length & 255]),
    block,
  ]);
}

export function extension(type: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), value]);
}
