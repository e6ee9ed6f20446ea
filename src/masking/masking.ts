import type { Masking, Secret, StreamMasker } from "./model.ts";

const MASK = Buffer.from("***");

/** Makes secrets ready to be masked in any number of streams. */
export function maskingOf(secrets: readonly Secret[]): Masking {
  const patterns = secrets.map(({ value }) => Buffer.from(value)).filter(({ length }) => length >= 6);
  return { size: patterns.length, stream: () => new Stream(patterns) };
}

class Stream implements StreamMasker {
  masked = 0;
  private text: Buffer = Buffer.alloc(0);
  private readonly patterns: readonly Buffer[];
  constructor(patterns: readonly Buffer[]) {
    this.patterns = patterns;
  }
  get held(): number {
    return this.text.length;
  }
  push(chunk: Uint8Array): Uint8Array {
    this.text = Buffer.concat([this.text, chunk]);
    return this.release(false);
  }
  flush(): Uint8Array {
    return this.release(true);
  }
  private release(all: boolean): Uint8Array {
    const out: Uint8Array[] = [];
    let at = 0;
    let kept = 0;
    while (at < this.text.length) {
      const rest = this.text.subarray(at);
      if (!all && this.patterns.some((one) => one.length > rest.length && one.subarray(0, rest.length).equals(rest)))
        break;
      const matches = this.patterns.filter((one) => one.equals(rest.subarray(0, one.length)));
      const longest = Math.max(0, ...matches.map(({ length }) => length));
      if (longest === 0) {
        at += 1;
        continue;
      }
      out.push(this.text.subarray(kept, at), MASK);
      this.masked += 1;
      at += longest;
      kept = at;
    }
    out.push(this.text.subarray(kept, at));
    this.text = this.text.subarray(at);
    return Buffer.concat(out);
  }
}
