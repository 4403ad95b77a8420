import * as parts from "jasmine-core/lib/jasmine-core/jasmine.js";

const jasmine = parts.core(parts);
jasmine.DEFAULT_TIMEOUT_INTERVAL = 20_000; // as tfjs has it

/** Where tfjs's specs register themselves, and what runs them. */
export const environment: parts.Environment = jasmine.getEnv({ suppressLoadErrors: true });

// tfjs's tests find describe, it, expect and the others in the global object.
Object.assign(globalThis, parts.interface(jasmine, environment));

// Many specs look at random numbers: what fails once is to fail again.
let state = 1;
Math.random = () => {
  state = (state * 48_271) % 2_147_483_647; // Lehmer's generator
  return state / 2_147_483_647;
};
