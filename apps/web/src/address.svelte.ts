const rooms = ["look", "train", "compare"];

/** The page's own address: which room, and its settings, so that a link or a reload brings them back. */
class Address {
  #room = $state("look");
  #settings = $state<Record<string, string>>({});

  constructor() {
    this.#read();
    addEventListener("hashchange", () => this.#read());
  }

  get room(): string {
    return this.#room;
  }

  /** A setting as the address has it. */
  get(name: string, otherwise: string): string {
    return this.#settings[name] ?? otherwise;
  }

  /** Undefined takes a setting out. */
  set(name: string, value: string | undefined): void {
    const settings = { ...this.#settings };
    if (value === undefined) delete settings[name];
    else settings[name] = value;
    this.#settings = settings;
    history.replaceState(null, "", this.of(this.#room));
  }

  /** The address of a room, with the settings there are. */
  of(room: string): string {
    const settings = new URLSearchParams(this.#settings).toString();
    return `#${room}${settings && `?${settings}`}`;
  }

  #read(): void {
    const [room = "", settings = ""] = location.hash.slice(1).split("?");
    this.#room = rooms.includes(room) ? room : "look";
    this.#settings = Object.fromEntries(new URLSearchParams(settings));
  }
}

export const address = new Address();
