import { expect, test } from "vitest";
import { limitLooks } from "../../../../src/commands/run/watch/follow-esc.ts";

test("requests with an answer of 401 share a look, and cause another one after 10 seconds", async () => {
  let time = 0;
  let looks = 0;
  let finish: () => void = () => {};
  const unauthorized = limitLooks(
    () => {
      looks += 1;
      return new Promise((resolve) => {
        finish = resolve;
      });
    },
    () => time,
  );
  const both = Promise.all([unauthorized(), unauthorized()]);
  finish();
  await both;
  time = 9999;
  await unauthorized();
  expect(looks).toBe(1);
  time = 10_000;
  const third = unauthorized();
  finish();
  await third;
  expect(looks).toBe(2);
});

test("a failed look does not fail the request", async () => {
  await expect(
    limitLooks(
      () => Promise.reject(new Error("no network")),
      () => 0,
    )(),
  ).resolves.toBeUndefined();
});
