/**
 * AWS-LC must be compiled as it was published. The build compares each file that the compiler reads with the checksum in its
 * package.
 */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { executable, noExecutable } from "../../test/helpers/executables.ts";
import { notLinux, skipBecause } from "../../test/helpers/skip.ts";

skipBecause(notLinux ?? noExecutable);

/** Runs a script of the folder `helpers`, and returns the lines that it prints. */
async function runHelper(script: string, ...args: readonly string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, "helpers", script), ...args],
    {
      maxBuffer: 1 << 24,
    },
  );
  return stdout.trimEnd().split("\n");
}

it("each source and header of the executable's AWS-LC has the checksum that its package lists", async () => {
  const files = await runHelper("published.mjs");
  for (const end of [
    "/aws-lc/crypto/fipsmodule/bcm.c",
    "/aws-lc/crypto/fipsmodule/ec/p256.c",
    "/aws-lc/crypto/fipsmodule/curve25519/curve25519_tables.h",
    "/aws-lc/crypto/x509/x509_vfy.c",
    "/aws-lc/ssl/ssl_lib.cc",
    "/aws-lc/include/openssl/base.h",
    "/ziglang/lib/libc/include/generic-musl/stdlib.h",
  ])
    expect(files.filter((path) => path.endsWith(end))).toHaveLength(1);
  expect(files.length).toBeGreaterThan(1000);
}, 600_000);

it.each([
  ["source", "aws-lc/crypto/asn1/a_bitstr.c", "changed"],
  ["header", "aws-lc/include/openssl/base.h", "changed"],
  ["list of sources", "builder/cc_builder/universal.rs", "changed"],
  ["header, which its package lacks,", "aws-lc/include/stdlib.h", "added"],
])(
  "the build fails if a %s was edited",
  async (_, path, how) => {
    const root = mkdtempSync(join(tmpdir(), "sophia-run-published-"));
    try {
      const crates = join(import.meta.dirname, "../../.cache/crates");
      const name = readdirSync(crates).find((each) => each.startsWith("aws-lc-sys-")) ?? "";
      const copy = join(root, ".cache/crates", name);
      cpSync(join(crates, name), copy, { recursive: true });
      const before = how === "changed" ? readFileSync(join(copy, path), "utf8") : "#include_next <stdlib.h>\n";
      writeFileSync(join(copy, path), `${before}\n// One more line.\n`);
      await expect(runHelper("published.mjs", root)).rejects.toMatchObject({
        stderr: expect.stringContaining(`${join(copy, path)} is not as it was published`),
      });
      expect(readdirSync(join(root, ".cache/runtime"))).toEqual([]);
    } finally {
      rmSync(root, { recursive: true });
    }
  },
  120_000,
);

it("the executable contains Mozilla's certificates as they were published, one after another", async () => {
  const certificates = (await runHelper("roots.mjs")).map((line) => Buffer.from(line, "base64"));
  expect(certificates.length).toBeGreaterThan(100);
  expect(readFileSync(executable).includes(Buffer.concat(certificates))).toBe(true);
});
