export class HpackEncoder {
  setMaxTableBytes(_bytes: number): void {}
}
