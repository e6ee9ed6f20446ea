import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { CompiledSearch } from "../../src/masking/masking-model.ts";
import { createMasking } from "../../src/masking/masking.ts";
import type { Masker } from "../../src/masking/stream.ts";

const secrets = (...values: readonly string[]) => values.map((value) => ({ name: "TOKEN", value }));
const push = (masker: Masker, text: string): string => Buffer.from(masker.push(Buffer.from(text))).toString();
const flush = (masker: Masker): string => Buffer.from(masker.flush()).toString();

test("a secret that is split over chunks is masked", () => {
  const masker = createMasking(secrets("correct-horse")).stream();
  expect(push(masker, "x correct")).toBe("x ");
  expect(masker.heldCharacters).toBe(7);
  expect(push(masker, "-horse y")).toBe("*** y");
  expect(masker.heldCharacters).toBe(0);
  expect(masker.maskCount).toBe(1);
});

test("bytes that were passed on in a silence are not repeated, and the rest of the secret is masked", () => {
  const masker = createMasking(secrets("correct-horse")).stream();
  expect(push(masker, "Password: co")).toBe("Password: ");
  expect(masker.heldCharacters).toBe(2);
  expect(flush(masker)).toBe("co");
  expect(masker.heldCharacters).toBe(0);
  expect(push(masker, "rr")).toBe("");
  // Half of this beginning of a secret was passed on. The whole beginning is too long to be passed on.
  expect(masker.heldCharacters).toBe(4);
  expect(push(masker, "ect-horse!")).toBe("***!");
});

test("the length of held bytes is counted in characters", () => {
  const masker = createMasking([
    { name: "A", value: "größer-als" },
    { name: "B", value: Buffer.from("ff80fe81fd82", "hex") },
  ]).stream();
  push(masker, "größ");
  expect(masker.heldCharacters).toBe(4);
  masker.push(Buffer.from("ff80fe", "hex"));
  expect(masker.heldCharacters).toBe(3);
});

test("a complete secret is masked at once, even if a longer secret may begin with it", () => {
  const masker = createMasking(secrets("correct", "correct-horse")).stream();
  expect(push(masker, "correct")).toBe("***");
  expect(masker.heldCharacters).toBe(0);
  expect(push(masker, "-hor")).toBe("");
  expect(masker.heldCharacters).toBe(11);
  expect(push(masker, "se")).toBe("");
  expect(push(masker, " correct-h")).toBe(" ***");
  expect(flush(masker)).toBe("-h");
  expect(masker.maskCount).toBe(2);
});

test("a complete secret in the beginning of a longer secret is masked when the stream ends", () => {
  const masker = createMasking(secrets("my correct horse", "correct")).stream();
  expect(push(masker, "my correct ho")).toBe("");
  expect(flush(masker)).toBe("my *** ho");
});

test("masked output is not changed by the next call, during which it may still be written", () => {
  const masker = createMasking(secrets("correct-horse", "battery-staple")).stream();
  const first = masker.push(Buffer.from("a correct-horse b ba"));
  const second = masker.push(Buffer.from("ttery-staple, correct-horse "));
  expect(Buffer.from(first).toString()).toBe("a *** b ");
  masker.flush();
  expect(Buffer.from(second).toString()).toBe("***, *** ");
});

test("a secret is masked in a chunk that follows a very long held beginning", () => {
  const value = "x".repeat(40) + "y".repeat(5000);
  const masker = createMasking(secrets(value, "correct-horse")).stream();
  const text = `${value.slice(0, 3000)}${value.slice(3000)} correct-horse ${"z".repeat(9000)}`;
  const out = push(masker, text.slice(0, 30)) + push(masker, text.slice(30, 3000)) + push(masker, text.slice(3000));
  expect(out + flush(masker)).toBe(`*** *** ${"z".repeat(9000)}`);
});

test("bytes that are not text are passed on unchanged, and are not copied if nothing is masked", () => {
  const masker = createMasking(secrets("pässwörd")).stream();
  const bytes = Buffer.from([0, 255, 0xc3, 0x28, 10, 0]);
  const out = masker.push(bytes);
  expect(Buffer.compare(out, bytes)).toBe(0);
  expect(out.buffer).toBe(bytes.buffer);
  const [first, second] = [Buffer.from("pä").subarray(0, 2), Buffer.from("pä").subarray(2)];
  expect(Buffer.from(masker.push(first)).toString()).toBe("");
  expect(Buffer.from(masker.push(second)).toString()).toBe("");
  expect(push(masker, "sswörd\n")).toBe("***\n");
});

test("a value that is not text is masked by its bytes", () => {
  const value = Buffer.from([0xff, 0xfe, 0, 1, 2, 3, 4]);
  const masker = createMasking([{ name: "KEY", value }]).stream();
  const out = Buffer.from(
    masker.push(Buffer.concat([Buffer.from("<"), value, Buffer.from(`> ${value.toString("base64")}`)])),
  );
  expect(Buffer.concat([out, masker.flush()]).toString()).toBe("<***> ***A==");
});

test("a value that is not text is masked in the text to which programs decode it", () => {
  const value = Buffer.from([0x61, 0x62, 0x63, 0xff, 0x0a, ...Buffer.from("a-second-line")]);
  const masker = createMasking([{ name: "KEY", value }]).stream();
  expect(push(masker, "abc\uFFFD\na-second-line a-second-line") + flush(masker)).toBe("*** ***");
});

test("values that cannot be masked are ignored", () => {
  const masking = createMasking(secrets("short", "true", "production", "long-enough"));
  expect(masking.size).toBe(1);
  const none = createMasking(secrets("short"));
  expect(none.size).toBe(0);
  expect(push(none.stream(), "short")).toBe("short");
});

test("masking a text of repetitions takes time that is linear in its length", () => {
  const masker = createMasking(secrets("a".repeat(5000), `${"a".repeat(3000)}b`)).stream();
  const text = Buffer.from("a".repeat(2_000_000));
  const begin = process.cpuUsage();
  const out = Buffer.concat([Buffer.from(masker.push(text)), masker.flush()]);
  expect(out.toString()).toBe("***");
  const { user, system } = process.cpuUsage(begin);
  // These are seconds of processor time. A search in quadratic time would take minutes.
  expect((user + system) / 1e6).toBeLessThan(20);
});

describe("if there are many large secrets,", () => {
  const makeRandomText = (seed: string): string =>
    Array.from({ length: 20 }, (_, turn) =>
      createHash("sha512").update(`${seed} ${turn}`).digest("base64").slice(0, 84),
    ).join("");
  const makeKey = (index: number): string =>
    `-----BEGIN PRIVATE KEY-----\n${makeRandomText(`key ${index}`).replaceAll(/.{64}/g, "$&\n")}\n-----END PRIVATE KEY-----\n`;
  const makeAccount = (index: number): string =>
    JSON.stringify(
      { type: "service_account", private_key: makeKey(index), client_id: `client-${index}-4711` },
      undefined,
      2,
    );
  const values = Array.from({ length: 120 }, (_, index) => makeAccount(index));

  test("each of 120 service accounts is masked, plain, in JSON, in a URL and in base64", () => {
    const masking = createMasking(values.map((value, index) => ({ name: `ACCOUNT_${index}`, value })));
    for (const value of values) {
      const masker = masking.stream();
      const forms = [value, JSON.stringify(value), encodeURIComponent(value), Buffer.from(value).toString("base64")];
      const output = forms.map((form) => `<${form}>`).join(" ");
      const out = Buffer.concat([Buffer.from(masker.push(Buffer.from(output))), masker.flush()]).toString();
      expect(out).toMatch(/^<\*{3}> <"\*{3}"> <\*{3}> <\*{3}.{0,2}=*>$/);
    }
  });

  test("500 values of 8 kB are masked", () => {
    const long = Array.from({ length: 500 }, (_, index) =>
      Array.from({ length: 5 }, (__, part) => makeRandomText(`${index} ${part}`))
        .join("")
        .slice(0, 8000),
    );
    const masker = createMasking(long.map((value, index) => ({ name: `LONG_${index}`, value }))).stream();
    const output = [0, 250, 499].map((index) => `<${long[index] ?? ""}>`).join(" ");
    expect(push(masker, output) + flush(masker)).toBe("<***> <***> <***>");
  });

  test("a total of more than 4 MiB is an error before anything is read", () => {
    const value = "x".repeat(1024 * 1024);
    const hugeSecrets = Array.from({ length: 5 }, (_, index) => ({ name: `HUGE_${index}`, value: `${index}${value}` }));
    expect(() => createMasking(hugeSecrets)).toThrow(expect.objectContaining({ code: "redact-size", status: 125 }));
  });

  test("the compiled search searches a chunk that arrives before the search is prepared", () => {
    const calls: string[] = [];
    const search = {
      buildSearch: () => void calls.push("build"),
      prepareSearch: () => new Uint8Array(),
      newCandidates: () => new Uint8Array(),
      find: (...[, , bytes, , , , , , , results]: Parameters<CompiledSearch["find"]>) => {
        calls.push("find");
        results.set([0, bytes.length, 0, 0]);
        return 0;
      },
      takeMatches: () => {},
      listCandidates: () => 0,
    };
    const masker = createMasking(secrets("correct-horse")).stream(undefined, search);
    expect(push(masker, "line\n")).toBe("line\n");
    expect(calls).toEqual(["build", "find"]);
  });

  test("a short secret is masked in a stream that is known to be short", () => {
    const masker = createMasking(
      [...values, "short-secret"].map((value) => ({ name: "SECRET", value })),
      20,
    ).stream();
    expect(push(masker, "the short-secret") + flush(masker)).toBe("the ***");
  });
});
