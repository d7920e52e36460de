/** Processes a list with limited concurrency. After an error, finishes what has begun, then throws it. */
export async function inParallel<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items].reverse();
  const worker = async () => {
    for (let item = queue.pop(); item !== undefined; item = queue.pop()) await work(item);
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(atOnce, queue.length) }, worker));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

/** Like `Promise.all`, but waits for all even if some fail. @throws {AggregateError} with all errors */
export async function allEnded<const T extends readonly Promise<unknown>[]>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const results = await Promise.allSettled(promises);
  const errors = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join("; "));
  return Promise.all(promises);
}
