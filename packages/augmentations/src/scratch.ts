/**
 * A working buffer that is kept between calls and grows when it has to. Every operation here is
 * synchronous, so no two calls in a thread are ever inside one at once.
 */
export function scratch(): (length: number) => Uint8Array {
  let buffer = new Uint8Array(0);
  return (length) => {
    if (buffer.length < length) buffer = new Uint8Array(length);
    return buffer;
  };
}
