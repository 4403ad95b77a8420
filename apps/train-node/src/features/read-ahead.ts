/**
 * What `read` makes of each item, in order, with some of them under way before they are asked for.
 * Nothing is begun once a reader leaves.
 */
export async function* readAhead<T, U>(
  items: Iterable<T>,
  read: (item: T) => Promise<U>,
  ahead = 8,
): AsyncGenerator<U, void> {
  const waiting: Promise<U>[] = [];
  for (const item of items) {
    const reading = read(item);
    reading.catch(() => undefined); // told when its turn comes
    waiting.push(reading);
    if (waiting.length > ahead) yield await (waiting.shift() as Promise<U>);
  }
  for (const reading of waiting) yield await reading;
}
