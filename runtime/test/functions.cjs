// Prints which values functions see in the variables around them, for functions.standalone.test.ts: in variables that closures
// share, and in variables that look like shared ones.
"use strict";
const print = (...words) => require("fs").writeSync(1, `${words.map(String).join(" ")}\n`);

// Each iteration of a loop has its own variable, which two functions share.
const steps = [];
for (let step = 0; step < 3; step++) steps.push([() => (step += 10), () => step]);
for (const [add, get] of steps) print("loop", add(), get(), add(), get());
const names = [];
for (const name of ["a", "b"]) names.push(() => name);
print(
  "of",
  names.map((get) => get()),
);

// Arguments and variables, with and without a closure, over three levels.
function outer(first, second, ...rest) {
  let plain = first;
  let shared = second;
  const middle = (third) => {
    const own = third + shared;
    return () => (shared += 1) + own + first + rest.length;
  };
  const inner = middle(5);
  plain += inner() + inner();
  return [plain, shared, first];
}
print("levels", outer(1, 2, 3, 4));

// A default value sees the arguments before it, not the variables of the function's body.
function defaults(one, two = () => one, three = two() + 1) {
  var one = one + 100;
  return [one, two(), three];
}
print("defaults", defaults(7));

// `arguments` and the names of the arguments are the same in a sloppy function, whether a closure has them or not.
// oxlint-disable-next-line typescript/no-implied-eval -- a sloppy function, in a strict file
const sloppy = new Function(
  "first",
  "second",
  "arguments[0] = 'changed'; second = 'set'; return [first, arguments[1]].join();",
);
print("arguments", sloppy(1, 2));
// oxlint-disable-next-line typescript/no-implied-eval -- the same
const captured = new Function("first", "const get = () => first; arguments[0] = 'changed'; return get();");
print("captured", captured(1));

// Generators and asynchronous functions keep their variables while they are suspended.
function* counter(limit) {
  let count = 0;
  const add = () => count++;
  for (let turn = 0; turn < limit; turn++) yield add();
  return count;
}
print("generator", [...counter(3)]);
async function waits(value) {
  let sum = value;
  const add = (more) => (sum += more);
  for (const more of [1, 2]) add(await Promise.resolve(more));
  return sum;
}

// Classes, private names, catch and functions that know their own name.
class Counted {
  static made = 0;
  #count = 0;
  constructor() {
    Counted.made++;
  }
  get next() {
    return () => ++this.#count;
  }
}
const { next } = new Counted();
print("class", next(), next(), Counted.made, new Counted().next());
const errors = [];
try {
  throw new Error("thrown");
} catch ({ message }) {
  errors.push(() => message);
}
print("catch", errors[0]());
print(
  "own name",
  (function self(count) {
    return count === 0 ? "end" : (() => self(count - 1))();
  })(3),
);

// Reading a variable before it has a value is an error, whose message depends on the engine.
try {
  (() => early)();
  let early = 1;
} catch (error) {
  print("early", error instanceof ReferenceError);
}

// The function has more variables than a byte can number, and the last of them are shared.
const many = Array.from({ length: 300 }, (_, index) => `v${index}`);
// oxlint-disable-next-line typescript/no-implied-eval -- 300 variables
const sum = new Function(
  `let ${many.map((name, index) => `${name} = ${index}`).join()}; const add = () => (v299 += v298); add(); return v299 + ${many.join("+")};`,
);
print("many", sum());

void waits(4).then((value) => print("asynchronous", value));
