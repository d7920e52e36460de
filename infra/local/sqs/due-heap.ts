/** Priority queue by time (a binary heap): thousands of waiting messages need no timer each and no scan. */
export class DueHeap {
  readonly #items: { readonly atMs: number; readonly order: number; readonly id: string }[] = [];
  #order = 0;

  push(atMs: number, id: string): void {
    const items = this.#items;
    let index = items.push({ atMs, order: this.#order++, id }) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#before(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  peek(): { readonly atMs: number; readonly id: string } | undefined {
    return this.#items[0];
  }

  pop(): { readonly atMs: number; readonly id: string } | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (first === undefined || last === undefined || items.length === 0) return first;
    items[0] = last;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      let smallest = index;
      if (left < items.length && this.#before(left, smallest)) smallest = left;
      if (right < items.length && this.#before(right, smallest)) smallest = right;
      if (smallest === index) return first;
      this.#swap(index, smallest);
      index = smallest;
    }
  }

  #before(a: number, b: number): boolean {
    const [x, y] = [this.#items[a]!, this.#items[b]!];
    return x.atMs < y.atMs || (x.atMs === y.atMs && x.order < y.order);
  }

  #swap(a: number, b: number): void {
    const items = this.#items;
    [items[a], items[b]] = [items[b]!, items[a]!];
  }
}
