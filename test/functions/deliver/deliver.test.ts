import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { iso, START, startMailboxes } from "./fixture.ts";

let w: Awaited<ReturnType<typeof startMailboxes>>;
beforeEach(async () => {
  w = await startMailboxes();
});
afterEach(() => w.stop());

/** Moves the clock and delivers. */
const at = async (seconds: number, ...receivers: string[]) => {
  w.world.now = START + seconds;
  await w.deliver(...receivers);
};

describe("mail", () => {
  test("is sent once, in the order of the monitor's changes, and kept as the record of its delivery", async () => {
    await w.post(1);
    await w.post(2);
    await w.deliver();
    await w.deliver();
    expect(w.world.received).toEqual(["sns m1.1.1", "sns m1.1.2"]);
    expect(await w.mail()).toMatchObject([
      { state: "sent", attempts: 1, answer: "accepted", attemptedAt: iso(0), expiresAtSeconds: START + 30 * 86_400 },
      { state: "sent" },
    ]);
    const state = await w.state();
    expect(state).toMatchObject({ doneUntil: `${iso(0)}#m1.1.2`, failures: 0 });
    for (const gone of ["lease", "lookBy", "nextEvaluationAt", "retryAt"]) expect(state).not.toHaveProperty(gone);
    expect(w.world.delivered).toBe(2);
  });

  test("that is posted again is not sent again, not even after it was sent", async () => {
    await w.post(1);
    await w.post(1);
    await w.deliver();
    await w.post(1, { at: 0 });
    await w.deliver();
    expect(w.world.received).toEqual(["sns m1.1.1"]);
  });

  test("whose place is before what is done is found: its post was late, or a clock behind", async () => {
    await w.post(3, { at: 20, monitorId: "m2" });
    await w.deliver();
    await w.post(1, { at: 10 });
    await w.deliver();
    expect(w.world.received).toEqual(["sns m2.1.3", "sns m1.1.1"]);
    expect((await w.state())?.doneUntil).toBe(`${iso(20)}#m2.1.3`);
  });

  test("keeps the order of the outbox where the clocks of those who posted it differ", async () => {
    await w.post(2, { at: 5 });
    await w.post(1, { at: 7 });
    await w.deliver();
    expect(w.world.received).toEqual(["sns m1.1.1", "sns m1.1.2"]);
  });

  test("of a clock that was ahead is sent at once", async () => {
    await w.post(1, { at: 50 });
    await w.deliver();
    expect(w.world.received).toEqual(["sns m1.1.1"]);
  });
});

describe("a receiver that refuses for now", () => {
  test("is asked again after 10 s, doubling to 120 s, and then gets everything at once", async () => {
    w.world.refuse.sns = "temporary";
    await w.post(1);
    await w.deliver();
    const pauses = [];
    for (let attempt = 0; attempt < 6; attempt++) {
      const { inSeconds } = w.world.retries.pop()!;
      pauses.push(inSeconds);
      await at(w.world.now - START + inSeconds);
    }
    expect(pauses).toEqual([10, 20, 40, 80, 120, 120]);
    expect(w.world.asked).toHaveLength(7);
    await w.post(1, { monitorId: "m2" });
    await w.post(2);
    w.world.refuse = {};
    await at(w.world.now - START + 120);
    expect(w.world.received.toSorted()).toEqual(["sns m1.1.1", "sns m1.1.2", "sns m2.1.1"]);
    expect(w.world.received.indexOf("sns m1.1.1")).toBeLessThan(w.world.received.indexOf("sns m1.1.2"));
    expect(await w.state()).toMatchObject({ failures: 0, pausedUntil: null });
  });

  test("is asked by few attempts, however much mail waits and however often deliver is called", async () => {
    w.world.refuse.sns = "temporary";
    for (let monitor = 0; monitor < 30; monitor++) await w.post(1, { monitorId: `m${monitor}` });
    await w.deliver();
    expect(w.world.asked.length).toBeLessThanOrEqual(10);
    const before = w.world.asked.length;
    for (let call = 0; call < 5; call++) {
      await w.post(1, { monitorId: `later${call}` });
      await at(call);
    }
    expect(w.world.asked).toHaveLength(before);
    await at(10);
    expect(w.world.asked).toHaveLength(before + 1);
  });

  test("delays no other receiver", async () => {
    w.world.refuse["email:a@example.com"] = "temporary";
    for (const receiver of ["email:a@example.com", "email:b@example.com"]) await w.post(1, { receiver });
    await w.deliver("email:a@example.com", "email:b@example.com");
    expect(w.world.received).toEqual(["email:b@example.com m1.1.1"]);
  });

  test("one message only: the others go on, but for those of the same monitor", async () => {
    w.world.refuse["sns m1.1.1"] = "temporary";
    await w.post(1);
    await w.post(2);
    for (const monitorId of ["m2", "m3"]) await w.post(1, { monitorId });
    await w.deliver();
    for (const seconds of [10, 30, 70, 150]) await at(seconds);
    expect(w.world.received.toSorted()).toEqual(["sns m2.1.1", "sns m3.1.1"]);
    w.world.refuse = {};
    await at(300);
    expect(w.world.received.slice(2)).toEqual(["sns m1.1.1", "sns m1.1.2"]);
  });

  test("for a day and a hundred times: its mail is given up, noted on the incident, and system is told", async () => {
    w.world.refuse.sns = "temporary";
    for (const monitorId of ["m1", "m2", "m3", "m4"]) await w.post(1, { monitorId });
    await w.deliver();
    await w.change("RECEIVER#sns", "MAILBOX", "failures", 99);
    await at(86_300);
    expect(w.world.undeliverable).toBe(0);
    await at(86_450);
    expect((await w.mail()).map(({ state }) => state)).toEqual(Array(4).fill("undeliverable"));
    expect(w.world.undeliverable).toBe(4);
    const notice = await w.item("NOTICE#lost#m1.1.1#sns", "STATE");
    const [entry] = Object.values(notice?.pendingAlerts) as { content: { message: string } }[];
    expect(entry?.content).toMatchObject({
      event: "system.undeliverable",
      about: expect.stringMatching(/^delivery\.\w{16}$/),
    });
    expect(entry?.content.message).toMatch(
      /"DB is down" \(alert m1.1.1\) could not be delivered to sns: Throttling: refused/,
    );
    expect(await w.state()).not.toHaveProperty("nextEvaluationAt");
  });
});

test("a receiver that refuses for good has its mail given up at once, and gets the next", async () => {
  w.world.refuse["sns m1.1.1"] = "permanent";
  const incident = { pk: "MONITOR#m1", sk: `INCIDENT#${iso(0)}`, undeliverable: {} };
  await w.client.send(new PutCommand({ TableName: w.tables.monitors, Item: incident }));
  await w.post(1);
  await w.post(2);
  await w.deliver();
  expect(w.world.received).toEqual(["sns m1.1.2"]);
  expect(await w.mail()).toMatchObject([
    { state: "undeliverable", answer: "InvalidParameter: refused" },
    { state: "sent" },
  ]);
  expect((await w.item("MONITOR#m1", `INCIDENT#${iso(0)}`))?.undeliverable).toEqual({
    "m1.1.1 sns": { error: "InvalidParameter: refused", at: iso(0) },
  });
});

test("an alert that cannot be rendered is a fault of ours: told to system once, tried again, and the receiver is not to blame", async () => {
  await w.post(1);
  await w.change("MAIL#sns", `${iso(0)}#m1.1.1`, "alert.locations", null);
  await w.post(1, { monitorId: "m2" });
  for (const seconds of [0, 10, 30]) await at(seconds);
  expect(w.world.received).toEqual(["sns m2.1.1"]);
  expect(await w.state()).toMatchObject({ failures: 0, pausedUntil: null });
  expect((await w.mail())[0]).toMatchObject({ state: "waiting", attempts: 3, hadFault: true });
  const notice = await w.item("NOTICE#fault#m1.1.1#sns", "STATE");
  expect(JSON.stringify(notice)).toMatch(/by a fault of Harborlight: TypeError.*It is tried again/);
  await w.change("MAIL#sns", `${iso(0)}#m1.1.1`, "attempts", 100);
  await at(86_500);
  expect(JSON.stringify(await w.item("NOTICE#lost#m1.1.1#sns", "STATE"))).toMatch(/is given up/);
});

describe("the lease", () => {
  /** Starts a second process during the first attempt of one, and goes on when it waits for the lease. */
  const whileOneSends = async (meanwhile: () => Promise<unknown>) => {
    await w.post(1);
    const [waits, goesOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    w.world.onSleep = async () => {
      waits.resolve();
      await goesOn.promise;
    };
    let second: Promise<unknown> = Promise.resolve();
    w.world.onAttempt = async () => {
      w.world.onAttempt = async () => {};
      second = w.another()(["sns"]);
      await waits.promise;
    };
    await w.deliver();
    await meanwhile();
    goesOn.resolve();
    await second;
  };

  test("keeps a second process away while the first one sends", async () => {
    await whileOneSends(async () => {});
    expect(w.world.received).toEqual(["sns m1.1.1"]);
    expect(w.world.errors).toEqual([]);
  });

  test("is one process', if two read the receiver at the same time", async () => {
    await w.post(1);
    const seen = (await w.mailbox.state("sns"))!;
    const taken = await Promise.all(
      ["one", "two"].map((token) => w.mailbox.take("sns", seen, { token, until: iso(20) })),
    );
    expect(taken.filter(Boolean)).toHaveLength(1);
  });

  test("that is a third process' by the time the second has waited stays with the third", async () => {
    await whileOneSends(async () => {
      await w.post(2);
      await w.mailbox.take("sns", (await w.mailbox.state("sns"))!, { token: "third", until: iso(20) });
    });
    expect(w.world.received).toEqual(["sns m1.1.1"]);
    expect(await w.state()).toMatchObject({ lease: { token: "third" } });
  });

  test("is given back after what it allows, with the rest left for the next pass", async () => {
    for (const number of [1, 2, 3]) await w.post(number);
    w.world.onAttempt = async () => {
      w.world.now += 6;
    };
    await w.deliver();
    expect(w.world.received).toEqual(["sns m1.1.1", "sns m1.1.2"]);
    expect(await w.state()).toMatchObject({ lookBy: expect.any(String) });
    expect(await w.state()).not.toHaveProperty("lease");
    await w.deliver();
    expect(w.world.received).toHaveLength(3);
  });

  test.each([
    ["just taken", 20],
    ["of a clock that was an hour ahead", 3_600],
    ["of a clock that was an hour behind", -3_600],
  ])("of a dead process is another's after 20 s: %s", async (_, until) => {
    await w.post(1);
    await w.mailbox.take("sns", (await w.mailbox.state("sns"))!, { token: "dead", until: iso(until) });
    const waits: number[] = [];
    w.world.onSleep = async (ms) => void waits.push(ms);
    await w.deliver();
    expect(w.world.received).toHaveLength(1);
    expect(waits).toContain(20_000);
    expect(await w.state()).not.toHaveProperty("lease");
  });
});

test("mail that is posted while a pass ends makes it look again", async () => {
  await w.post(1);
  w.world.onAttempt = async () => {
    w.world.onAttempt = async () => {};
    await w.post(1, { monitorId: "m2" });
  };
  await w.deliver();
  expect(w.world.received).toEqual(["sns m1.1.1", "sns m2.1.1"]);
  expect(await w.state()).not.toHaveProperty("lookBy");
});

test("more waiting mail than is read at once is sent in parts, in order", async () => {
  for (let number = 0; number < 25; number++) await w.post(1, { monitorId: `m${number}`, at: number });
  w.world.refuse["sns m3.1.1"] = "temporary";
  await w.another(10)(["sns"]);
  expect(w.world.received).toHaveLength(24);
  expect(await w.state()).toMatchObject({ doneUntil: `${iso(3)}#m3.1.1`, retryAt: iso(10) });
});

test("a process that dies at any write loses nothing, and repeats what it sent under the same alertId", async () => {
  let [writes, broken, fault] = [0, 0, "fail-before" as "fail-before" | "fail-after"];
  let isArmed = false;
  await using own = await startMailboxes(({ operation }) =>
    isArmed && ["PutItem", "UpdateItem"].includes(operation) && ++writes === broken ? fault : "proceed",
  );
  const live = async (n: number) => {
    Object.assign(own.world, { received: [], refuse: { "sns m1.1.2": "permanent" } });
    [writes, broken] = [0, n];
    for (const number of [1, 2, 3]) await own.post(number);
    isArmed = true;
    await own.deliver();
    isArmed = false;
    await own.deliver();
    const received = own.world.received;
    expect([...new Set(received)], `${fault} at write ${n}`).toEqual(["sns m1.1.1", "sns m1.1.3"]);
    expect(received.length).toBeLessThanOrEqual(3);
    const states = (await own.mail()).slice(-3).map(({ state }) => state);
    expect(states).toEqual(["sent", "undeliverable", "sent"]);
    expect(await own.state()).not.toHaveProperty("lookBy");
    own.world.now += 1_000;
  };
  await live(0);
  const all = writes;
  expect(all).toBeGreaterThanOrEqual(6);
  for (fault of ["fail-before", "fail-after"] as const) for (let n = 1; n <= all; n++) await live(n);
}, 60_000);
