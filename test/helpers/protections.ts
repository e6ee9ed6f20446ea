import { execFileSync } from "node:child_process";

function readelf(option: string, path: string): string {
  return execFileSync("readelf", ["--wide", option, path], { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
}

interface Segment {
  readonly type: string;
  readonly address: number;
  /** Some of R, W and E. */
  readonly flags: string;
}

/** The segments of a program or library in ELF's form. */
export function segmentsOf(path: string): readonly Segment[] {
  const lines = readelf("--program-headers", path).matchAll(
    /^ {2}(\w+) +0x\w+ 0x(\w+) 0x\w+ 0x\w+ 0x\w+ ([R ][W ][E ]) /gm,
  );
  return Array.from(lines, ([, type = "", address = "", flags = ""]) => ({
    type,
    address: Number.parseInt(address, 16),
    flags: flags.replaceAll(" ", ""),
  }));
}

/** What of a program or library makes mistakes in its memory harder to use. */
export function protectionsOf(path: string) {
  const segments = segmentsOf(path);
  const dynamic = readelf("--dynamic", path);
  return {
    stack: segments.find(({ type }) => type === "GNU_STACK")?.flags,
    hasWritableCode: segments.some(({ flags }) => flags.includes("W") && flags.includes("E")),
    hasFixedAddresses: readelf("--file-header", path).includes("EXEC (Executable file)"),
    /** Constants that are set at the start are read-only afterwards. */
    hasRelro: segments.some(({ type }) => type === "GNU_RELRO"),
    /** None of its functions is looked up later; "static" if there is nothing to look up. */
    bindsNow: segments.some(({ type }) => type === "DYNAMIC") ? /\(FLAGS\).*BIND_NOW/.test(dynamic) : "static",
    /** Folders for libraries, or code that is changed as it is loaded. */
    hasPathOrChangedCode: /\((?:RPATH|RUNPATH|TEXTREL)\)/.test(dynamic),
  };
}
