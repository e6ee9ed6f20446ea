import { checkContract } from "../contract/check.ts";
import type { Contract, FormatCheck } from "../contract/model.ts";
import type { Assessment } from "./assessment.ts";
import { type Preceded, precede } from "./precede.ts";
import { readSources, readWithoutCache, type Request } from "./read-sources.ts";

/** Reads, resolves and checks all sources. @throws SophiaError (125) as its steps do */
export async function assess(request: Request): Promise<Assessment> {
  return check(await precede(await readSources(request)));
}

/**
 * Checks what the program would get against the contract. If values of the cache do not meet it, ESC is asked for newer ones.
 * @throws SophiaError (contract-slow, 125)
 */
export async function check(preceded: Preceded): Promise<Assessment> {
  const { sources, required, resolution, selected, marked, selection } = preceded;
  const { contract, esc, request } = sources;
  const found = checkContract(required, selected, await formatsOf(contract));
  const isNested = found.length > 0 && request.environment.has("SOPHIA_BROKERED");
  const violations = isNested ? (await import("./brokered.ts")).ofOwnValues(found, preceded) : found;
  // Without a contract each start would contact ESC.
  if (violations.length > 0 && request.settings.enforceContract && esc.kind === "read" && esc.kept?.why === "fresh") {
    return check(await precede(await readWithoutCache(sources)));
  }
  const notices = mayReport(preceded) ? await (await import("./notices.ts")).noticesOf(preceded) : [];
  const again: Assessment["again"] = async (now) => (await import("./read-again.ts")).readAgain(sources, now);
  return { contract, esc, resolution, selected: marked, selection, violations, notices, again };
}

/** Returns the check of values' formats, which the built-in contract has none of. */
async function formatsOf({ source }: Contract): Promise<FormatCheck> {
  if (source.kind === "built-in") return noFormat;
  return (await import("../contract/format.ts")).formatCheck();
}

function noFormat(): never {
  throw new TypeError("the built-in contract has a format");
}

/** Returns false if `noticesOf` would return none. */
function mayReport({ sources, layers, passed, selection, overridden, notices }: Preceded): boolean {
  const { request, dotenv, accessNotices, esc } = sources;
  return (
    notices.length + dotenv.notices.length + accessNotices.length + sources.notices.length + overridden.length > 0 ||
    dotenv.files.some(({ references, exposed }) => references === true || exposed === true) ||
    request.settings.include.length > 0 ||
    esc.kind === "unavailable" ||
    layers.some(
      (layer, at) =>
        layer.source === "override" ||
        (layer !== passed[at] && (layer.source !== "environment" || selection.risks.size > 0)),
    )
  );
}
