/** The plainest masking that can be right: all places of all patterns, and those that overlap are one. */
export function reference(text: Buffer, patterns: Iterable<string>): Buffer {
  const matches: [start: number, end: number][] = [];
  for (const pattern of patterns) {
    const bytes = Buffer.from(pattern, "latin1");
    for (let at = text.indexOf(bytes); at !== -1; at = text.indexOf(bytes, at + 1))
      matches.push([at, at + bytes.length]);
  }
  matches.sort(([one], [other]) => one - other);
  const out: Buffer[] = [];
  let done = 0;
  for (const [start, end] of matches) {
    if (start >= done) out.push(text.subarray(done, start), Buffer.from("***"));
    done = Math.max(done, end);
  }
  return Buffer.concat([...out, text.subarray(done)]);
}
