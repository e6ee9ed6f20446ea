import { setTimeout as sleep } from "node:timers/promises";
import { type Spread, spread, timeInTurns } from "../measure.ts";
import { DIRECT, type Launcher, type Setting } from "./launchers.ts";
import { descriptorsOf, forgetPeak, memoryOf, processorTimeOf, type Side } from "./process.ts";

/** The figures of one launcher: times in ms, memory in MB. */
export interface Figures {
  readonly turns: Turns;
  readonly volume: Volume;
  readonly soak: Soak;
  readonly start: Start;
}

export interface Turns {
  readonly p50: Spread;
  readonly p99: Spread;
  /** Beyond the direct connection, within a turn. */
  readonly addedP50: Spread;
  readonly addedP99: Spread;
  readonly rate: Spread;
  /** Processor time of the launcher for a request, 16 at once; in µs. */
  readonly processor: Spread;
  /** The percentile of all turns. */
  readonly firstEventP99: number;
  readonly eventP99: number;
  readonly events: number;
  readonly merged: number;
}

export interface Volume {
  readonly up: number;
  readonly down: number;
  /** MB of memory, at most, beyond what there was before. */
  readonly more: number;
  readonly firstChunk: Spread;
}

export interface Soak {
  readonly more: number;
  readonly descriptors: number;
  readonly sockets: number;
}

export interface Start {
  readonly masked: Spread;
  /** Beyond a start with --redact, and as a multiple of it. */
  readonly beyond: Spread;
  /** MB beside a program. */
  readonly resident: number;
  readonly residentMasked: number;
}

export interface Amounts {
  readonly rounds: number;
  readonly bytes: number;
  readonly requests: number;
  readonly streams: number;
  readonly starts: number;
  readonly gitRounds: number;
}

const AT_ONCE = 16;
/** A peer of which a request costs 40 times as much sends a tenth of them. */
const PEER_SHARE = 0.1;
/** Enough for the compiler of V8 to have seen the path of a request. */
const WARM_UP = 1500;

interface Round {
  readonly p50: number;
  readonly p99: number;
  readonly rate: number;
  readonly processor: number;
  readonly first: number;
  readonly delays: readonly number[];
  readonly merged: number;
}

/** Sends requests to the service directly and through each launcher, in turns and in another order each time. */
export async function measureTurns(
  place: Setting,
  launchers: readonly Launcher[],
  { rounds }: Amounts,
): Promise<ReadonlyMap<string, Turns>> {
  const sides = [{ name: DIRECT, prefix: [], isPeer: false }, ...launchers].map(({ name, prefix, isPeer }) => ({
    name,
    share: isPeer ? PEER_SHARE : 1,
    side: place.side({ prefix }),
    rounds: [] as Round[],
  }));
  try {
    for (const { side, share: part } of sides) await warmUp(side, part);
    for (let round = 0; round < rounds; round++) {
      for (const one of shuffled(sides)) one.rounds.push(await measureRound(one.side, one.share));
    }
  } finally {
    await Promise.all(sides.map(({ side }) => side.end()));
  }
  const direct = sides[0]?.rounds ?? [];
  return new Map(
    sides.map(({ name, rounds: taken }) => {
      const added = (of: (round: Round) => number): Spread =>
        spread(taken.map((round, index) => of(round) - of(direct[index] ?? round)));
      const delays = taken.flatMap((round) => round.delays);
      const turns: Turns = {
        p50: spread(taken.map(({ p50 }) => p50)),
        p99: spread(taken.map(({ p99 }) => p99)),
        addedP50: added(({ p50 }) => p50),
        addedP99: added(({ p99 }) => p99),
        rate: spread(taken.map(({ rate }) => rate)),
        processor: spread(taken.map(({ processor }) => processor)),
        firstEventP99: share(
          taken.map(({ first }) => first),
          0.99,
        ),
        eventP99: share(delays, 0.99),
        events: delays.length,
        merged: taken.reduce((sum, { merged }) => sum + merged, 0),
      };
      return [name, turns];
    }),
  );
}

type GitTask = "clone" | "push" | "gh";
type GitFigures = Readonly<Record<GitTask, Spread>>;

export interface GitTurns {
  /** ms. */
  readonly direct: GitFigures;
  /** Multiples of the direct connection within a turn, by launcher. */
  readonly ratios: ReadonlyMap<string, GitFigures>;
}

/** Clones and pushes 100 MB, and calls the API by gh, directly and through each launcher, in turns. */
export async function measureGit(
  { git }: Setting,
  launchers: readonly Launcher[],
  { gitRounds }: Amounts,
): Promise<GitTurns> {
  const sides = [{ name: DIRECT, prefix: [] }, ...launchers].map(({ name, prefix }) => ({
    name,
    side: git.side({ prefix }),
    times: { clone: [] as number[], push: [] as number[], gh: [] as number[] },
  }));
  try {
    // The first round fills the caches of the file system.
    for (let round = -1; round < gitRounds; round++) {
      for (const { side, times } of shuffled(sides)) {
        const clone = await side.perform("clone", { repository: git.full });
        const push = await side.perform("push", { from: git.folder, repository: git.empty() });
        const gh = await side.perform("gh", { count: 10 });
        if (round < 0) continue;
        times.clone.push(clone);
        times.push.push(push);
        times.gh.push(gh);
      }
    }
  } finally {
    await Promise.all(sides.map(({ side }) => side.end()));
  }
  const [direct] = sides;
  if (direct === undefined) throw new Error("git was not measured directly");
  const figures = (of: (task: GitTask) => readonly number[]): GitFigures => ({
    clone: spread(of("clone")),
    push: spread(of("push")),
    gh: spread(of("gh")),
  });
  return {
    direct: figures((task) => direct.times[task]),
    ratios: new Map(
      sides.map(({ name, times }) => [
        name,
        figures((task) => times[task].map((ms, index) => ms / (direct.times[task][index] ?? Number.NaN))),
      ]),
    ),
  };
}

async function measureRound(side: Side, part: number): Promise<Round> {
  const times = await side.perform("latency", { count: 500 * part });
  const before = processorTimeOf(side.pid);
  const rate = await side.perform("rate", { count: 2000 * part, atOnce: AT_ONCE });
  const processor = (processorTimeOf(side.pid) - before) / (2000 * part);
  const { first, delays, merged } = await side.perform("events", { count: 50, ms: 5 });
  return { p50: share(times, 0.5), p99: share(times, 0.99), rate, processor, first, delays, merged };
}

/** Sends and fetches so many bytes in one request each, with a launcher of its own. */
export async function measureVolume(place: Setting, launcher: Launcher, { bytes }: Amounts): Promise<Volume> {
  return withSide(place, launcher, async (side) => {
    const { resident } = memoryOf(side.pid);
    forgetPeak(side.pid);
    const { ms: up } = await side.perform("upload", { bytes });
    const down = await side.perform("download", { bytes });
    const more = memoryOf(side.pid).peak - resident;
    const first: number[] = [];
    for (let index = 0; index < 20; index++) {
      first.push((await side.perform("upload", { bytes: 1_000_000 })).firstChunk);
    }
    return { up, down, more, firstChunk: spread(first) };
  });
}

/** Counts what is left after many requests, and after streams that the program has left. */
export async function measureSoak(place: Setting, launcher: Launcher, amounts: Amounts): Promise<Soak> {
  return withSide(place, launcher, async (side, part) => {
    const count = async () => ({
      resident: memoryOf(side.pid).resident,
      descriptors: descriptorsOf(side.pid),
      sockets: await place.sockets(),
    });
    const before = await count();
    await side.perform("rate", { count: amounts.requests * part, atOnce: AT_ONCE });
    await side.perform("abandon", { count: amounts.streams * part, atOnce: AT_ONCE });
    await sleep(1000);
    const after = await count();
    return {
      more: after.resident - before.resident,
      descriptors: after.descriptors - before.descriptors,
      sockets: after.sockets - before.sockets,
    };
  });
}

export async function measureStart(place: Setting, { prefix, masked }: Launcher, { starts }: Amounts): Promise<Start> {
  const { env, cwd } = place;
  // Node.js 20 parses these certificates at every start.
  const { NODE_EXTRA_CA_CERTS: _, ...bare } = env;
  const of = (name: string, words: readonly string[]) => ({ name, argv: words, env: bare, cwd });
  const [without, within] = timeInTurns([of("masked", [...masked, "true"]), of("broker", [...prefix, "true"])], starts);
  if (without === undefined || within === undefined) throw new Error("no start was measured");
  return {
    masked: without.wall,
    beyond: within.wallBeyond,
    resident: await residentOf(place, prefix),
    residentMasked: await residentOf(place, masked),
  };
}

/** Returns the memory of a launcher whose program has sent nothing yet. */
async function residentOf(place: Setting, prefix: readonly string[]): Promise<number> {
  const values: number[] = [];
  for (let index = 0; index < 5; index++) {
    const side = place.side({ prefix });
    await side.perform("latency", { count: 0 });
    values.push(memoryOf(side.pid).resident);
    await side.end();
  }
  return spread(values).median;
}

async function withSide<T>(
  place: Setting,
  launcher: Launcher,
  measure: (side: Side, part: number) => Promise<T>,
): Promise<T> {
  const side = place.side(launcher);
  const part = launcher.isPeer ? PEER_SHARE : 1;
  try {
    await warmUp(side, part);
    return await measure(side, part);
  } finally {
    await side.end();
  }
}

/** With as many connections as there will be later. */
async function warmUp(side: Side, part: number): Promise<void> {
  await side.perform("rate", { count: WARM_UP * part, atOnce: AT_ONCE });
}

function share(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.round((values.length - 1) * part)] ?? Number.NaN;
}

function shuffled<T>(values: readonly T[]): readonly T[] {
  return values
    .map((value) => ({ value, key: Math.random() }))
    .toSorted((one, other) => one.key - other.key)
    .map(({ value }) => value);
}
