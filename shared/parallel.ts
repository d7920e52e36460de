/** Works through a list with so many at a time. The first error ends it, after what has begun. */
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
