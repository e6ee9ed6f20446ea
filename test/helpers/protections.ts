/** Reads from the headers of an ELF file which protections against memory errors it has. */
import { execFileSync } from "node:child_process";

function runReadelf(option: string, path: string): string {
  return execFileSync("readelf", ["--wide", option, path], { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
}

/** A segment of the file in memory. */
interface Segment {
  readonly type: string;
  readonly address: number;
  /** Its rights, such as `RE`: R (read), W (write), E (execute). */
  readonly flags: string;
}

/** Returns the segments of a program or library. */
export function segmentsOf(path: string): readonly Segment[] {
  const lines = runReadelf("--program-headers", path).matchAll(
    /^ {2}(\w+) +0x\w+ 0x(\w+) 0x\w+ 0x\w+ 0x\w+ ([R ][W ][E ]) /gm,
  );
  return Array.from(lines, ([, type = "", address = "", flags = ""]) => ({
    type,
    address: Number.parseInt(address, 16),
    flags: flags.replaceAll(" ", ""),
  }));
}

/** Returns the protections that make memory errors of a program or library harder to exploit. */
export function protectionsOf(path: string) {
  const segments = segmentsOf(path);
  const dynamic = runReadelf("--dynamic", path);
  return {
    stack: segments.find(({ type }) => type === "GNU_STACK")?.flags,
    hasWritableCode: segments.some(({ flags }) => flags.includes("W") && flags.includes("E")),
    hasFixedAddresses: runReadelf("--file-header", path).includes("EXEC (Executable file)"),
    /** True if relocated data becomes read-only after the start (RELRO). */
    hasRelro: segments.some(({ type }) => type === "GNU_RELRO"),
    /** True if all functions are looked up at the start, and "static" if there is nothing to look up. */
    bindsNow: segments.some(({ type }) => type === "DYNAMIC") ? /\(FLAGS\).*BIND_NOW/.test(dynamic) : "static",
    /** True if the file names folders for libraries, or has code that the loader must change. */
    hasPathOrChangedCode: /\((?:RPATH|RUNPATH|TEXTREL)\)/.test(dynamic),
  };
}
